import * as z from "zod";

interface Bounds {
  maxBytes: number;
  maxKeyLength: number;
  maxDepth: number;
}

/** An object of JSON that Postgres stores as it is. Walked without recursion, so that no depth of it can hurt. */
export const jsonObject = (bounds: Bounds) =>
  z.custom<Record<string, unknown>>().superRefine((value, context) => {
    const fault = findFault(value, bounds);
    if (fault) context.addIssue({ code: "custom", message: fault });
  });

function findFault(value: unknown, { maxBytes, maxKeyLength, maxDepth }: Bounds): string | undefined {
  if (!isRecord(value)) return "This is not an object";
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
        if (key === "" || key.length > maxKeyLength || !isStorable(key)) return `A key has 1 to ${maxKeyLength} characters`;
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

const isStorable = (text: string) => !text.includes("\0") && text.isWellFormed();
