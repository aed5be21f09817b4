import * as z from "zod";
import { isStorable } from "./text.ts";

interface Bounds {
  maxBytes: number;
  maxKeyLength: number;
  maxDepth: number;
}

/** An object of JSON that Postgres stores as it is. Walked without recursion, so that no depth of it can hurt. */
export const jsonObject = (bounds: Bounds) =>
  z.custom<Record<string, unknown>>().superRefine((value, context) => {
    const fault = isRecord(value) ? findFault(value, { ...bounds, minKeyLength: 1 }) : "This is not an object";
    if (fault) context.addIssue({ code: "custom", message: fault });
  });

/** The same for JSON of any kind. */
export const jsonValue = (bounds: Bounds) =>
  z.custom<unknown>().superRefine((value, context) => {
    const fault = findFault(value, { ...bounds, minKeyLength: 0 });
    if (fault) context.addIssue({ code: "custom", message: fault });
  });

function findFault(
  value: unknown,
  { maxBytes, minKeyLength, maxKeyLength, maxDepth }: Bounds & { minKeyLength: number },
): string | undefined {
  const waiting: { value: unknown; depth: number }[] = [{ value, depth: 1 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value: part, depth } = next;
    if (typeof part === "string") {
      if (!isStorable(part)) return "The text has a character that cannot be stored";
    } else if (typeof part === "object" && part !== null) {
      if (depth > maxDepth) return `The object is more than ${maxDepth} levels deep`;
      if (!Array.isArray(part) && !isRecord(part)) return "The object holds something that is not JSON";
      const entries = Object.entries(part);
      // Each entry is at least a character and a comma: there is no need to walk through more of them.
      if (waiting.length + entries.length > maxBytes) return `The object has more than ${maxBytes} bytes`;
      for (const [key, child] of entries) {
        if (key.length < minKeyLength || key.length > maxKeyLength || !isStorable(key)) {
          return `A key has ${minKeyLength} to ${maxKeyLength} characters`;
        }
        if (key === "__proto__") return "A key has a name that means something else";
        waiting.push({ value: child, depth: depth + 1 });
      }
    } else if (typeof part === "number" ? !Number.isFinite(part) : typeof part !== "boolean" && part !== null) {
      return "The object holds something that is not JSON";
    }
  }
  if (new TextEncoder().encode(JSON.stringify(value)).length > maxBytes) return `The object has more than ${maxBytes} bytes`;
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
