import type { MessageRole } from "@parley/contract";
import { sql } from "drizzle-orm";
import { joinReader } from "../conversations/member-sql.ts";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

export interface SearchPlan {
  /** As Postgres reads the words. */
  query: string;
  /** The words that an index finds, in quotes; without any there is nothing to look for. */
  indexable: string;
  /** Conversations of this person to look through, and their messages. */
  conversations: number;
  messages: number;
}

const plan = statement<Record<string, unknown>, SearchPlan>(
  "search_plan",
  sql`select parley_search_query(${value("text")})::text as query, querytree(parley_search_query(${value("text")})) as indexable,
      count(*)::int as conversations, coalesce(sum(conversations.message_count), 0)::int as messages
    from members join conversations on conversations.id = members.conversation_id
    where members.user_id = ${value("userId")}::uuid
      and (${value("conversationId")}::uuid is null or members.conversation_id = ${value("conversationId")}::uuid)`,
);

export async function planSearch(
  database: Database,
  where: { userId: string; conversationId: string | null; text: string },
): Promise<SearchPlan> {
  const [planned] = await plan(database, where);
  return planned ?? { query: "", indexable: "", conversations: 0, messages: 0 };
}

export interface SearchWhere {
  userId: string;
  conversationId: string | null;
  query: string;
  /** A message: those that are found are older. */
  before: string;
  limit: number;
}

// As a function and not as an operator, `ts_match_vq` uses no index: these two read the newest messages first.

const everywhere = statement<Record<string, unknown>, { id: string }>(
  "search_newest",
  sql`select newest.id from (
      select id, conversation_id, search from messages where id < ${value("before")}::uuid order by id desc limit ${value("most")}::int) as newest
    ${joinReader(sql`newest.conversation_id`)}
    where ts_match_vq(newest.search, ${value("query")}::tsquery)
    order by newest.id desc limit ${value("limit")}::int`,
);

const eachConversation = statement<Record<string, unknown>, { id: string }>(
  "search_conversations",
  sql`select found.id from members mine cross join lateral (
      select newest.id from (
        select id, search from messages where conversation_id = mine.conversation_id and id < ${value("before")}::uuid
          order by id desc limit ${value("most")}::int) as newest
      where ts_match_vq(newest.search, ${value("query")}::tsquery) order by newest.id desc limit ${value("limit")}::int) as found
    where mine.user_id = ${value("userId")}::uuid
      and (${value("conversationId")}::uuid is null or mine.conversation_id = ${value("conversationId")}::uuid)
    order by found.id desc limit ${value("limit")}::int`,
);

const idsOf = (rows: { id: string }[]) => rows.map(({ id }) => id);

/** Among the newest messages of everybody, as many as `most`. */
export async function findAmongNewest(
  database: Database,
  { conversationId: _, ...where }: SearchWhere & { most: number },
): Promise<string[]> {
  return idsOf(await everywhere(database, where));
}

/** Among the newest messages of each conversation, as many as `most`: null is all of them. */
export async function findInConversations(database: Database, where: SearchWhere & { most: number | null }): Promise<string[]> {
  return idsOf(await eachConversation(database, { ...where }));
}

const indexed = statement<Record<string, unknown>, { isTooMany: boolean; ids: string[] }>(
  "search_index",
  sql`with found as materialized (
      select id, conversation_id from messages where search @@ ${value("query")}::tsquery limit ${value("most")}::int + 1),
    page as (
      select found.id from found
      ${joinReader(sql`found.conversation_id`)}
      where found.id < ${value("before")}::uuid and (select count(*) from found) <= ${value("most")}::int
        and (${value("conversationId")}::uuid is null or found.conversation_id = ${value("conversationId")}::uuid)
      order by found.id desc limit ${value("limit")}::int)
    select (select count(*) from found) > ${value("most")}::int as "isTooMany",
      coalesce((select json_agg(id order by id desc) from page), '[]') as ids`,
);

/** Null where the words are in more than `most` messages of everybody. */
export async function findByIndex(database: Database, where: SearchWhere & { most: number }): Promise<string[] | null> {
  const [found] = await indexed(database, { ...where });
  return found && !found.isTooMany ? found.ids : null;
}

export interface FoundRow {
  messageId: string;
  conversationId: string;
  conversationTitle: string;
  role: MessageRole;
  authorId: string | null;
  authorName: string | null;
  createdAt: string;
  content: string;
  isCut: boolean;
}

const details = statement<Record<string, unknown>, FoundRow>(
  "search_details",
  sql`select messages.id as "messageId", messages.conversation_id as "conversationId", conversations.title as "conversationTitle",
      messages.role, messages.author_id as "authorId", messages.created_at as "createdAt",
      (select display_name from users where users.id = messages.author_id) as "authorName",
      left(messages.content, ${value("most")}::int) as content, length(messages.content) > ${value("most")}::int as "isCut"
    from messages
    ${joinReader(sql`messages.conversation_id`)}
    join conversations on conversations.id = messages.conversation_id
    where messages.id = any(array(select jsonb_array_elements_text(${value("ids")}::jsonb)::uuid))
    order by messages.id desc`,
);

/** The newest first, with the beginning of each text. */
export function readFound(
  database: Database,
  { ids, ...where }: { userId: string; ids: string[]; most: number },
): Promise<FoundRow[]> {
  return details(database, { ...where, ids: JSON.stringify(ids) });
}

const inflected = statement<{ words: string; lexemes: string }, { word: string }>(
  "search_inflected",
  sql`select word from jsonb_array_elements_text(${value("words")}::jsonb) as word
    where tsvector_to_array(parley_search_vector(word)) && array(select jsonb_array_elements_text(${value("lexemes")}::jsonb))`,
);

/** Which of these words are forms of what was looked for. */
export async function findForms(database: Database, words: string[], lexemes: string[]): Promise<Set<string>> {
  const rows = await inflected(database, { words: JSON.stringify(words), lexemes: JSON.stringify(lexemes) });
  return new Set(rows.map(({ word }) => word));
}
