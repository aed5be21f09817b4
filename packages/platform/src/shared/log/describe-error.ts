import { DrizzleQueryError } from "drizzle-orm";
import type { Scrub } from "./scrub.ts";

export interface DescribedError {
  type: string;
  message: string;
  code?: string;
  status?: number;
  table?: string;
  constraint?: string;
  /** Its name, or how it begins. */
  statement?: string;
  stack?: string;
  cause?: DescribedError;
}

const longestMessage = 500;
const longestStatement = 200;
const longestChain = 4;
const frames = { outermost: 12, cause: 4 };

/**
 * Of an error only what is known to be harmless: errors of drivers and SDKs carry parameters, headers and whole requests.
 * Each thing is said once.
 */
export function createDescribeError(scrub: Scrub): (error: unknown) => DescribedError {
  const describe = (error: unknown, depth: number): DescribedError => {
    if (!(error instanceof Error))
      return { type: typeof error, message: messageOf(typeof error === "object" ? "" : String(error)) };
    const isStatement = error instanceof DrizzleQueryError;
    const stack = framesOf(error, depth === 0 ? frames.outermost : frames.cause);
    return {
      type: isStatement ? "DrizzleQueryError" : error.name === "Error" ? error.constructor.name : error.name,
      message: isStatement ? "a statement failed" : messageOf(harmless(error)),
      ...textField(error, "code", "code"),
      ...("status" in error && typeof error.status === "number" && { status: error.status }),
      ...textField(error, "table", "table_name"),
      ...textField(error, "constraint", "constraint_name"),
      ...(isStatement && { statement: statementOf(error) }),
      ...(stack !== "" && { stack: scrub(stack) }),
      ...(error.cause !== undefined && depth < longestChain && { cause: describe(error.cause, depth + 1) }),
    };
  };
  const messageOf = (text: string) => shortened(scrub(text), longestMessage);
  return (error) => describe(error, 0);
}

/** Some messages quote what was wrong: a text that is no JSON, a value that a column does not take. */
function harmless(error: Error): string {
  const { message, name } = error;
  const isData = "code" in error && typeof error.code === "string" && /^22\w{3}$/.test(error.code);
  if (!isData && name !== "SyntaxError") return message;
  return message.replace(/"[\s\S]*"/, '"[removed]"').replace(/'[\s\S]*'/, "'[removed]'");
}

function statementOf(error: DrizzleQueryError): string {
  if ("statement" in error && typeof error.statement === "string") return error.statement;
  return shortened(error.query.replace(/\s+/g, " "), longestStatement);
}

/** Without the message, which the stack begins with. */
function framesOf({ stack = "" }: Error, most: number): string {
  const lines = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return lines
    .slice(0, most)
    .map((line) => line.trim())
    .join("\n");
}

function textField(error: Error, name: "code" | "table" | "constraint", field: string): { [field: string]: string } {
  const found: unknown = Reflect.get(error, field);
  return typeof found === "string" && found.length <= 100 ? { [name]: found } : {};
}

const shortened = (text: string, most: number) => (text.length > most ? `${text.slice(0, most)}…` : text);
