import type { Message, MessageHistory, MessagePage, RateMessage } from "@parley/contract";
import { type SQL, sql } from "drizzle-orm";
import { ownLeaf, walkUp } from "../conversations/branch-sql.ts";
import { joinReader } from "../conversations/member-sql.ts";
import type { Database } from "../database/index.ts";
import { readInstant, readInstantOrNull, statement, value, type Written } from "../database/statement.ts";
import { toPerson } from "../users/person.ts";

export type MessageRow = Omit<Written<Message>, "siblings" | "author"> & {
  authorId: string | null;
  authorName: string | null;
  siblingIds: string[];
};

/** Of a table, or of what a statement has just changed. */
export const messageColumns = (table: SQL) => sql`
  ${table}.id, ${table}.conversation_id as "conversationId", ${table}.parent_id as "parentId", ${table}.reply_to_id as "replyToId",
  ${table}.role, ${table}.type, ${table}.author_id as "authorId", ${table}.content, ${table}.parts, ${table}.status,
  ${table}.run_id as "runId", ${table}.model, ${table}.provider, ${table}.usage, ${table}.finish_reason as "finishReason",
  ${table}.error, ${table}.metadata, ${table}.edited_at as "editedAt", ${table}.created_at as "createdAt",
  (select display_name from users where users.id = ${table}.author_id) as "authorName",
  case when ${table}.parent_id is null
    then (select json_agg(sibling.id order by sibling.id) from messages sibling
      where sibling.conversation_id = ${table}.conversation_id and sibling.parent_id is null)
    else (select json_agg(sibling.id order by sibling.id) from messages sibling where sibling.parent_id = ${table}.parent_id)
    end as "siblingIds"`;

export function toMessage({ authorId, authorName, siblingIds, ...row }: MessageRow): Message {
  return {
    ...row,
    author: toPerson(authorId, authorName),
    siblings: { ids: siblingIds, index: siblingIds.indexOf(row.id) },
    editedAt: readInstantOrNull(row.editedAt),
    createdAt: readInstant(row.createdAt),
  };
}

type BranchRow = MessageRow & { mine: Omit<MessagePage["ratings"][number], "messageId"> | null };

/** The message that a page comes before is not on it. */
const skipped = sql`case when ${value("before")}::uuid is null then 0 else 1 end`;

const branch = statement<Record<string, unknown>, BranchRow>(
  "message_branch",
  sql`with recursive place as (${ownLeaf(sql`${value("conversationId")}::uuid`)}),
    branch as (${walkUp({
      from: sql`place join messages on messages.conversation_id = place.conversation_id
        and messages.id = coalesce(${value("before")}::uuid, place.leaf_id)`,
      goesOn: sql`branch.depth < ${value("limit")}::int + ${skipped}`,
    })})
    select ${messageColumns(sql`messages`)}, (select json_build_object('rating', rating, 'note', note) from message_ratings
        where message_id = messages.id and user_id = ${value("userId")}::uuid) as mine
    from branch join messages on messages.id = branch.id where branch.depth > ${skipped} order by branch.depth desc`,
);

/** The end of a branch, oldest first: of the one that the person looks at, where no leaf is named. */
export async function listBranchPage(
  database: Database,
  where: { userId: string; conversationId: string; leafId: string | null; before: string | null; limit: number },
): Promise<Pick<MessagePage, "items" | "ratings">> {
  const rows = await branch(database, where);
  return {
    items: rows.map(({ mine: _, ...row }) => toMessage(row)),
    ratings: rows.flatMap(({ id, mine }) => (mine ? [{ messageId: id, ...mine }] : [])),
  };
}

const messageById = statement<{ userId: string; id: string }, MessageRow>(
  "message_by_id",
  sql`select ${messageColumns(sql`messages`)} from messages
    ${joinReader(sql`messages.conversation_id`)}
    where messages.id = ${value("id")}::uuid`,
);

export async function findMessage(database: Database, userId: string, id: string) {
  const [row] = await messageById(database, { userId, id });
  return row ? toMessage(row) : null;
}

const historyLength = 100;

/** All null of a message that was never changed. */
interface EditRow {
  content: string | null;
  editorId: string | null;
  editorName: string | null;
  replacedAt: string | null;
}

const history = statement<{ userId: string; id: string }, EditRow>(
  "message_history",
  sql`select edits.content, edits.editor_id as "editorId", edits.replaced_at as "replacedAt",
      (select display_name from users where users.id = edits.editor_id) as "editorName"
    from messages
    ${joinReader(sql`messages.conversation_id`)}
    left join lateral (select * from message_edits where message_edits.message_id = messages.id
      order by replaced_at desc, id desc limit ${sql.raw(String(historyLength))}) as edits on true
    where messages.id = ${value("id")}::uuid order by edits.replaced_at, edits.id`,
);

/** The last hundred changes, oldest first. Null for a message that does not exist, and for somebody else's. */
export async function findHistory(database: Database, userId: string, id: string): Promise<MessageHistory | null> {
  const rows = await history(database, { userId, id });
  if (rows.length === 0) return null;
  return rows.flatMap(({ content, editorId, editorName, replacedAt }) => {
    if (content === null || replacedAt === null) return [];
    return [{ content, editor: toPerson(editorId, editorName), replacedAt: readInstant(replacedAt) }];
  });
}

const rated = statement<Record<string, unknown>, { id: string }>(
  "rate_message",
  // Held, so that it cannot be deleted between being found and being rated.
  sql`with message as (
      select messages.id from messages
      ${joinReader(sql`messages.conversation_id`)}
      where messages.id = ${value("messageId")}::uuid for key share of messages),
    rated as (
      insert into message_ratings (message_id, user_id, rating, note)
      select message.id, ${value("userId")}::uuid, ${value("rating")}::text, ${value("note")} from message
      where ${value("rating")}::text is not null
      on conflict (message_id, user_id) do update set rating = excluded.rating, note = excluded.note, rated_at = now()),
    taken_back as (
      delete from message_ratings using message where message_ratings.message_id = message.id
        and message_ratings.user_id = ${value("userId")}::uuid and ${value("rating")}::text is null)
    select id from message`,
);

/** False for a message that does not exist, and for somebody else's. */
export async function rateMessage(database: Database, userId: string, { messageId, rating, note }: RateMessage) {
  const rows = await rated(database, { userId, messageId, rating, note: note ?? null });
  return rows.length === 1;
}
