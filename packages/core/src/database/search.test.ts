import { databaseKinds, openTestDatabase } from "@parley/testing";
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { statement, value } from "./statement.ts";

const matches = statement<{ text: string; question: string }, { found: boolean }>(
  "search_matches",
  sql`select parley_search_vector(${value("text")}::text) @@ parley_search_query(${value("question")}::text) as found`,
);

test.each(databaseKinds)("words are found in four scripts, in other forms than they were written in, on %s", async (kind) => {
  await using database = await openTestDatabase(kind);
  const found = async (text: string, question: string) => (await matches(database.database, { text, question }))[0]?.found;
  for (const [text, question] of [
    ["She was running home", "run"],
    ["Мы говорили о книгах", "книга"],
    ["زرنا المكتبات القديمة", "مكتبة"],
    ["קראתי את הסֵפֶר בבית", "ספר"],
    ["יש ספר על השולחן", "הספר"],
    ["Parley: разговор, حديث, שיחה", "parley разговор حديث שיחה"],
  ] as const) {
    expect(await found(text, question), `${question} in ${text}`).toBe(true);
  }
  expect(await found("She was running home", "walk")).toBe(false);
  expect(await found("a cat and a dog", "cat -dog")).toBe(false);
  expect(await found("שלום עולם", "ספר")).toBe(false);
});
