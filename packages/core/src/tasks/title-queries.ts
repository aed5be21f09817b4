import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

const wordsTitle = statement<{ conversationId: string }, { id: string }>(
  "find_words_title",
  sql`select id from conversations where id = ${value("conversationId")}::uuid and title_by = 'words'`,
);

/** Nobody has thought of a better title than the first words. */
export async function hasWordsTitle(database: Database, conversationId: string): Promise<boolean> {
  return (await wordsTitle(database, { conversationId })).length === 1;
}

const entitle = statement<{ conversationId: string; title: string }, { id: string }>(
  "entitle_conversation",
  sql`update conversations set title = ${value("title")}, title_by = 'model'
    where id = ${value("conversationId")}::uuid and title_by = 'words' returning id`,
);

/** In place of the first words only. */
export async function setModelTitle(database: Database, conversationId: string, title: string): Promise<boolean> {
  return (await entitle(database, { conversationId, title })).length === 1;
}
