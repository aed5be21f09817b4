import type { Conversation, MemberRole, Message, MessagePart, RunError, TokenCounts } from "@parley/contract/events";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { instant, instantOrNull, statement, value } from "../database/statement.ts";

export const excerptLength = 200;

type Times<Row, Keys extends keyof Row> = Omit<Row, Keys> & { [Key in Keys]: null extends Row[Key] ? string | null : string };

type ConversationRow = Times<Conversation, "archivedAt" | "createdAt" | "updatedAt"> & {
  activeAt: string;
  lastMessage: (Omit<NonNullable<Conversation["lastMessage"]>, "createdAt"> & { createdAt: string }) | null;
};

const conversationColumns = sql`
  conversations.id, conversations.title, conversations.description, conversations.visibility,
  conversations.archived_at as "archivedAt", mine.pinned, conversations.tags, conversations.metadata, conversations.model,
  conversations.system_prompt as "systemPrompt", null as "shareUrl", mine.role as "myRole",
  conversations.message_count as "messageCount", mine.unread_count as "unreadCount",
  conversations.created_at as "createdAt", conversations.updated_at as "updatedAt", mine.active_at as "activeAt",
  (select json_agg(json_build_object('role', members.role, 'user',
      json_build_object('id', users.id, 'name', users.display_name, 'avatar', null)) order by members.joined_at, users.id)
    from members join users on users.id = members.user_id where members.conversation_id = conversations.id) as members,
  (select json_build_object('id', leaf.id, 'role', leaf.role, 'excerpt', left(leaf.content, ${sql.raw(String(excerptLength))}),
      'createdAt', leaf.created_at)
    from messages leaf where leaf.id = conversations.leaf_id) as "lastMessage"`;

function toConversation({ activeAt: _, lastMessage, ...row }: ConversationRow): Conversation {
  return {
    ...row,
    archivedAt: instantOrNull(row.archivedAt),
    createdAt: instant(row.createdAt),
    updatedAt: instant(row.updatedAt),
    lastMessage: lastMessage && { ...lastMessage, createdAt: instant(lastMessage.createdAt) },
  };
}

const conversationPage = statement<Record<string, unknown>, ConversationRow>(
  "conversation_page",
  sql`select ${conversationColumns}
    from members mine join conversations on conversations.id = mine.conversation_id
    where mine.user_id = ${value("userId")}::uuid
      and (mine.active_at, mine.conversation_id) < (${value("activeAt")}::timestamptz, ${value("id")}::uuid)
    order by mine.active_at desc nulls last, mine.conversation_id desc nulls last limit ${value("limit")}::int`,
);

const furthest = { activeAt: "infinity", id: "ffffffff-ffff-ffff-ffff-ffffffffffff" };

/** Newest activity first. The page goes on after the last row's `activeAt` and `id`. */
export async function listConversations(
  database: Database,
  userId: string,
  { after = furthest, limit }: { after?: { activeAt: string; id: string } | undefined; limit: number },
) {
  const rows = await conversationPage(database, { userId, ...after, limit });
  return rows.map((row) => ({ conversation: toConversation(row), activeAt: instant(row.activeAt) }));
}

const conversationById = statement<{ userId: string; id: string }, ConversationRow>(
  "conversation_by_id",
  sql`select ${conversationColumns}
    from members mine join conversations on conversations.id = mine.conversation_id
    where mine.user_id = ${value("userId")}::uuid and conversations.id = ${value("id")}::uuid`,
);

/** Null for "missing" and for "someone else's", so that no caller can leak which. */
export async function findConversation(database: Database, userId: string, id: string) {
  const [row] = await conversationById(database, { userId, id });
  return row ? toConversation(row) : null;
}

type MessageRow = Omit<Times<Message, "editedAt" | "createdAt">, "siblings" | "author"> & {
  authorId: string | null;
  authorName: string | null;
  siblingIds: string[];
  parts: MessagePart[];
  usage: TokenCounts | null;
  error: RunError | null;
};

const messageColumns = (table: SQL) => sql`
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

function toMessage({ authorId, authorName, siblingIds, ...row }: MessageRow): Message {
  return {
    ...row,
    author: authorId === null ? null : { id: authorId, name: authorName ?? "", avatar: null },
    siblings: { ids: siblingIds, index: siblingIds.indexOf(row.id) },
    editedAt: instantOrNull(row.editedAt),
    createdAt: instant(row.createdAt),
  };
}

const branch = statement<Record<string, unknown>, MessageRow>(
  "message_branch",
  sql`with recursive branch as (
      select messages.*, 1 as depth from messages
      join members on members.conversation_id = messages.conversation_id and members.user_id = ${value("userId")}::uuid
      join conversations on conversations.id = messages.conversation_id
      where messages.conversation_id = ${value("conversationId")}::uuid
        and messages.id = coalesce(${value("from")}::uuid, conversations.leaf_id)
      union all
      select parent.*, branch.depth + 1 from messages parent join branch on parent.id = branch.parent_id
      where branch.depth < ${value("limit")}::int)
    select ${messageColumns(sql`branch`)} from branch order by depth desc`,
);

/** A message and the ones before it on its branch, oldest first; without `from`, up to the conversation's newest. */
export async function listBranch(
  database: Database,
  where: { userId: string; conversationId: string; from: string | null; limit: number },
) {
  return (await branch(database, where)).map(toMessage);
}

const messageById = statement<{ userId: string; id: string }, MessageRow>(
  "message_by_id",
  sql`select ${messageColumns(sql`messages`)} from messages
    join members on members.conversation_id = messages.conversation_id and members.user_id = ${value("userId")}::uuid
    where messages.id = ${value("id")}::uuid`,
);

export async function findMessage(database: Database, userId: string, id: string) {
  const [row] = await messageById(database, { userId, id });
  return row ? toMessage(row) : null;
}

/** The role of a person in a conversation, or null. */
const membership = statement<{ userId: string; conversationId: string }, { role: MemberRole }>(
  "membership",
  sql`select role from members where user_id = ${value("userId")}::uuid and conversation_id = ${value("conversationId")}::uuid`,
);

export async function findMembership(database: Database, userId: string, conversationId: string) {
  const [row] = await membership(database, { userId, conversationId });
  return row?.role ?? null;
}
