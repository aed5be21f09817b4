import { causesOf, ownCodeOf } from "@parley/core/ports";

/** An error as it goes from one object to another: its message stays behind, which may quote what people wrote. */
export interface RemoteError {
  name: string;
  code: string | null;
  /** Of a statement that we have given a name. */
  statement: string | null;
  /** Where it came from, and nothing else. */
  frames: string;
}

/** The outermost first. */
export const remoteErrors = (error: unknown): RemoteError[] =>
  causesOf(error).map((cause) => ({
    name: cause.name === "Error" ? cause.constructor.name : cause.name,
    code: ownCodeOf(cause),
    statement: "statement" in cause && typeof cause.statement === "string" ? cause.statement : null,
    frames: (cause.stack ?? "")
      .split("\n")
      .filter((line) => /^\s+at /.test(line))
      .join("\n"),
  }));

export function errorFrom([outermost, ...causes]: readonly RemoteError[]): Error {
  if (!outermost) return new Error("an object failed");
  const { name, code, statement, frames } = outermost;
  const message = statement === null ? "an object failed" : `the statement ${statement} failed in an object`;
  const error = new Error(message, causes.length > 0 ? { cause: errorFrom(causes) } : {});
  return Object.assign(error, { name, stack: `${name}: ${message}\n${frames}`, ...(code !== null && { code }) });
}
