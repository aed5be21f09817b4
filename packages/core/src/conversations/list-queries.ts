import type { ListConversations } from "@parley/contract";
import { type SQL, sql } from "drizzle-orm";
import { firstId, lastId } from "../cursors.ts";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";
import type { Place } from "./cursors.ts";
import { type ConversationRow, type ConversationSource, conversationColumns, toConversation } from "./queries.ts";
import { hasWords, wordPatterns } from "./search.ts";

export type SortBy = NonNullable<ListConversations["sortBy"]>;
export type SortOrder = NonNullable<ListConversations["sortOrder"]>;

export interface Listed {
  userId: string;
  archived: boolean;
  pinned: boolean | null;
  tag: string | null;
  search: string | null;
}

const mine = sql`
  from members mine join conversations on conversations.id = mine.conversation_id
  where mine.user_id = ${value("userId")}::uuid`;

const wanted = sql`(conversations.archived_at is not null) = ${value("archived")}::boolean
  and (${value("pinned")}::boolean is null or mine.pinned = ${value("pinned")}::boolean)
  and (${value("tag")}::text is null or ${value("tag")}::text = any(conversations.tags))
  and ${hasWords(sql`conversations.title || ' ' || coalesce(conversations.description, '')`)}`;

/** What nearly every list asks for. Of more conditions Postgres would expect so few rows that it sorts what an index has in order. */
const usual = sql`conversations.archived_at is null`;

const isUsual = ({ archived, pinned, tag, search }: Listed) => !archived && pinned === null && tag === null && search === null;

/** What a title begins with: a whole one would be too long for a cursor. */
const titleKey = sql`left(lower(conversations.title), 100)`;

const orders = {
  desc: { after: sql.raw("<"), direction: sql.raw("desc nulls last") },
  asc: { after: sql.raw(">"), direction: sql.raw("asc nulls first") },
};

function pagesBy(sortBy: SortBy, sortOrder: SortOrder) {
  const { after, direction } = orders[sortOrder];
  const key = { activity: sql`mine.active_at`, created: sql`conversations.created_at`, title: titleKey }[sortBy];
  const keyType = sql.raw(sortBy === "title" ? "text" : "timestamptz");
  const further = sql`(${key}, mine.conversation_id) ${after} (${value("key")}::${keyType}, ${value("id")}::uuid)`;
  // No text comes before or after every other one; for times there is infinity, and the index is read from the place on.
  const isFurther = sortBy === "title" ? sql`(${value("key")}::text is null or ${further})` : further;
  const page = (name: string, condition: SQL) =>
    statement<Record<string, unknown>, ConversationRow & { sortKey: string }>(
      `${name}_by_${sortBy}_${sortOrder}`,
      sql`select ${conversationColumns}, ${key} as "sortKey" ${mine} and ${condition} and ${isFurther}
        order by ${key} ${direction}, mine.conversation_id ${direction} limit ${value("limit")}::int`,
    );
  return { usual: page("conversations", usual), wanted: page("conversations_wanted", wanted) };
}

const pages = {
  activity: { asc: pagesBy("activity", "asc"), desc: pagesBy("activity", "desc") },
  created: { asc: pagesBy("created", "asc"), desc: pagesBy("created", "desc") },
  title: { asc: pagesBy("title", "asc"), desc: pagesBy("title", "desc") },
};

const earliest = { key: "-infinity", id: firstId };
const latest = { key: "infinity", id: lastId };

function beginning(sortBy: SortBy, sortOrder: SortOrder) {
  if (sortBy === "title") return { key: null, id: null };
  return sortOrder === "desc" ? latest : earliest;
}

const valuesOf = ({ search, ...where }: Listed) => ({ ...where, patterns: wordPatterns(search) });

/** The page goes on after a row's place: what it is sorted by, and its id. */
export async function listConversations(
  { database, publicUrl }: ConversationSource,
  where: Listed,
  page: { sortBy: SortBy; sortOrder: SortOrder; after: Place | null; limit: number },
) {
  const { sortBy, sortOrder, limit } = page;
  const after = page.after ?? beginning(sortBy, sortOrder);
  const read = pages[sortBy][sortOrder][isUsual(where) ? "usual" : "wanted"];
  const rows = await read(database, { ...valuesOf(where), ...after, limit });
  return rows.map(({ sortKey, ...row }) => ({
    place: { key: sortKey, id: row.id },
    conversation: toConversation(row, publicUrl),
  }));
}

const count = statement<Record<string, unknown>, { total: number }>(
  "count_conversations",
  sql`select count(*)::int as total ${mine} and ${wanted}`,
);

export async function countConversations(database: Database, where: Listed): Promise<number> {
  const [counted] = await count(database, valuesOf(where));
  return counted?.total ?? 0;
}
