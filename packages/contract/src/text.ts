import * as z from "zod";

/** Postgres stores it as it is: no NUL, no half of a surrogate pair. */
export const isStorable = (value: string) => !value.includes("\0") && value.isWellFormed();

export const text = () => z.string().refine(isStorable, "The text has a character that cannot be stored");

/** In one spelling: the same id in capital letters is the same id. */
export const id = () => z.uuid().toLowerCase();

/** The input of what is done to one thing. */
export const ById = z.object({ id: id() });
