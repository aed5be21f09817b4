import { type SQL, sql } from "drizzle-orm";
import { value } from "../database/statement.ts";

/** Every word is somewhere in the text. Takes what `wordPatterns` gives, as `patterns`. */
export const hasWords = (content: SQL) => sql`(${value("patterns")}::jsonb is null or not exists (
  select from jsonb_array_elements_text(${value("patterns")}::jsonb) as word(pattern) where (${content}) not ilike word.pattern))`;

export function wordPatterns(search: string | null): string | null {
  if (search === null) return null;
  return JSON.stringify(search.split(/\s+/).map((word) => `%${word.replace(/[\\%_]/g, "\\$&")}%`));
}
