import { makePgArray, parsePgArray } from "drizzle-orm/pg-core";

// Drizzle hands its own columns over as texts.
const serialize = (value: unknown[] | string) => (typeof value === "string" ? value : makePgArray(value));

/** The array types of our columns and parameters: otherwise the driver asks for all types, with each connection that it opens. */
export const arrayTypes = {
  texts: { to: 1009, from: [1009], serialize, parse: (text: string) => parsePgArray(text) },
  integers: { to: 1007, from: [1007], serialize, parse: (text: string) => parsePgArray(text).map(Number) },
};
