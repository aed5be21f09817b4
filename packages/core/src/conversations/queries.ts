import type { Conversation, MemberRole } from "@parley/contract/events";
import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { readInstant, readInstantOrNull, statement, value, type Written } from "../database/statement.ts";
import { personJson } from "../users/person.ts";

export const excerptLength = 200;

export type ConversationRow = Omit<Written<Conversation>, "lastMessage" | "shareUrl"> & {
  shareToken: string | null;
  lastMessage: Written<NonNullable<Conversation["lastMessage"]>> | null;
};

/** Where conversations are read, and where the world finds what is shared of them. */
export interface ConversationSource {
  database: Database;
  publicUrl: string;
}

/** For a statement that joins a person's row of `members` as `mine`. */
export const conversationColumns = sql`
  conversations.id, conversations.title, conversations.description, conversations.visibility,
  conversations.archived_at as "archivedAt", mine.pinned, conversations.tags, conversations.metadata, conversations.model,
  conversations.system_prompt as "systemPrompt", case when mine.role <> 'viewer' then conversations.share_token end as "shareToken",
  mine.role as "myRole", conversations.message_count as "messageCount", mine.unread_count as "unreadCount",
  conversations.created_at as "createdAt", conversations.updated_at as "updatedAt",
  (select json_agg(json_build_object('role', members.role, 'user', ${personJson(sql`users`)}) order by members.joined_at, users.id)
    from members join users on users.id = members.user_id where members.conversation_id = conversations.id) as members,
  (select json_build_object('id', leaf.id, 'role', leaf.role, 'excerpt', left(leaf.content, ${sql.raw(String(excerptLength))}),
      'createdAt', leaf.created_at)
    from messages leaf where leaf.id = coalesce(mine.leaf_id, conversations.leaf_id)) as "lastMessage"`;

export function toConversation({ shareToken, lastMessage, ...row }: ConversationRow, publicUrl: string): Conversation {
  return {
    ...row,
    shareUrl: shareToken && shareUrl(publicUrl, shareToken),
    archivedAt: readInstantOrNull(row.archivedAt),
    createdAt: readInstant(row.createdAt),
    updatedAt: readInstant(row.updatedAt),
    lastMessage: lastMessage && { ...lastMessage, createdAt: readInstant(lastMessage.createdAt) },
  };
}

export const shareUrl = (publicUrl: string, token: string) => `${publicUrl.replace(/\/$/, "")}/shared/${token}`;

const conversationById = statement<{ userId: string; id: string }, ConversationRow>(
  "conversation_by_id",
  sql`select ${conversationColumns}
    from members mine join conversations on conversations.id = mine.conversation_id
    where mine.user_id = ${value("userId")}::uuid and conversations.id = ${value("id")}::uuid`,
);

/** Null for "missing" and for "someone else's", so that no caller can leak which. */
export async function findConversation({ database, publicUrl }: ConversationSource, userId: string, id: string) {
  const [row] = await conversationById(database, { userId, id });
  return row ? toConversation(row, publicUrl) : null;
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

const conversationOfMembers = statement<{ id: string }, ConversationRow & { userId: string }>(
  "conversation_of_members",
  sql`select mine.user_id as "userId", ${conversationColumns}
    from members mine join conversations on conversations.id = mine.conversation_id
    where conversations.id = ${value("id")}::uuid`,
);

/** A conversation as each of its members sees it. */
export async function findConversationOfMembers({ database, publicUrl }: ConversationSource, id: string) {
  const rows = await conversationOfMembers(database, { id });
  return rows.map(({ userId, ...row }) => ({ userId, conversation: toConversation(row, publicUrl) }));
}
