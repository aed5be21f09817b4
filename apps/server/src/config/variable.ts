import type * as z from "zod";

export interface Variable<Schema extends z.ZodType = z.ZodType> {
  schema: Schema;
  /** What holds when the variable is not set; the empty string stands for "none". */
  fallback: string;
  about: string;
  /** What may be given, in words. */
  allowed: string;
  /** In no line of a log and in no answer. `parts`: it whole and each part between commas; `whole`: an address, for its password. */
  secret: "parts" | "whole" | null;
}

export function variable<Schema extends z.ZodType>(
  schema: Schema,
  fallback: string,
  about: string,
  allowed: string,
): Variable<Schema> {
  return { schema, fallback, about, allowed, secret: null };
}

export function secret<Schema extends z.ZodType>(schema: Schema, about: string, allowed: string): Variable<Schema> {
  return { schema, fallback: "", about, allowed, secret: "parts" };
}

/** An address that may have a password in it. */
export function secretAddress<Schema extends z.ZodType>(schema: Schema, about: string, allowed: string): Variable<Schema> {
  return { schema, fallback: "", about, allowed, secret: "whole" };
}
