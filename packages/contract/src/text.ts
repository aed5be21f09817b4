import * as z from "zod";
import { object } from "./object.ts";

/** Postgres stores it as it is: no NUL, no half of a surrogate pair. */
export const isStorable = (value: string) => !value.includes("\0") && value.isWellFormed();

// Schemas do not change: one is good for all, and they are most of what a start has to make.
const anyText = z.string().refine(isStorable, "The text has a character that cannot be stored");
const anyId = z.uuid().toLowerCase();

export const text = () => anyText;

/** In one spelling: the same id in capital letters is the same id. */
export const id = () => anyId;

/** The input of what is done to one thing. */
export const ById = object(() => ({ id: id() }));
