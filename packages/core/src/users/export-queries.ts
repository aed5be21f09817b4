import type { ExportedConversation, ExportedMessage, ExportedSession } from "@parley/contract";
import { type SQL, sql } from "drizzle-orm";
import { joinReader } from "../conversations/member-sql.ts";
import type { Database } from "../database/index.ts";
import { readInstant, readInstantOrNull, statement, value, type Written } from "../database/statement.ts";

type SessionRow = Omit<Written<ExportedSession>, "device"> & { deviceName: string | null; userAgent: string | null };

const sessions = statement<{ userId: string }, SessionRow>(
  "export_sessions",
  sql`select id, device_name as "deviceName", user_agent as "userAgent", ip, created_at as "createdAt",
      last_active_at as "lastActiveAt", expires_at as "expiresAt", ended_at as "endedAt"
    from sessions where user_id = ${value("userId")}::uuid order by created_at, id`,
);

export async function exportSessions(database: Database, userId: string): Promise<ExportedSession[]> {
  const rows = await sessions(database, { userId });
  return rows.map(({ deviceName, userAgent, ...row }) => ({
    ...row,
    device: { name: deviceName, userAgent },
    createdAt: readInstant(row.createdAt),
    lastActiveAt: readInstant(row.lastActiveAt),
    expiresAt: readInstant(row.expiresAt),
    endedAt: readInstantOrNull(row.endedAt),
  }));
}

interface MessageRow extends Omit<Written<ExportedMessage>, "earlier" | "rating"> {
  conversationId: string;
  waiting: number;
  earlier: Written<ExportedMessage["earlier"][number]>[];
  rating: Written<NonNullable<ExportedMessage["rating"]>> | null;
}

const nextOnes = (wanted: SQL) => sql`
  where ${wanted} and (messages.conversation_id, messages.id) > (${value("conversationId")}::uuid, ${value("messageId")}::uuid)
  order by messages.conversation_id, messages.id limit ${value("limit")}::int + 1`;

const messages = statement<Record<string, unknown>, MessageRow>(
  "export_messages",
  // The sizes are added up before the texts are read.
  sql`with mine as (
      (select messages.id, messages.conversation_id from messages ${joinReader(sql`messages.conversation_id`)} ${nextOnes(sql`true`)})
      union all
      (select messages.id, messages.conversation_id from messages
        left join members on members.conversation_id = messages.conversation_id and members.user_id = messages.author_id
        ${nextOnes(sql`messages.author_id = ${value("userId")}::uuid and members.user_id is null`)})),
    waiting as (
      select messages.id, messages.conversation_id, octet_length(messages.content) + pg_column_size(messages.parts) + case
          when messages.author_id = ${value("userId")}::uuid and messages.edited_at is not null
          then (select coalesce(sum(octet_length(content)), 0) from message_edits where message_id = messages.id) else 0 end as size
      from mine join messages on messages.id = mine.id
      order by messages.conversation_id, messages.id limit ${value("limit")}::int + 1),
    part as (
      select id, sum(size) over (order by conversation_id, id) - size as before from waiting
      order by conversation_id, id limit ${value("limit")}::int)
    select messages.id, messages.conversation_id as "conversationId", messages.parent_id as "parentId",
      messages.reply_to_id as "replyToId", messages.role, messages.type, messages.content, messages.status, messages.provider,
      messages.model, messages.metadata, messages.edited_at as "editedAt", messages.created_at as "createdAt",
      (select json_build_object('id', users.id, 'name', users.display_name) from users where users.id = messages.author_id) as author,
      (select coalesce(json_agg(piece), '[]') from jsonb_array_elements(messages.parts) as piece where piece ->> 'type' <> 'text') as parts,
      (select coalesce(json_agg(json_build_object('content', content, 'replacedAt', replaced_at) order by replaced_at, id), '[]')
        from message_edits where message_id = messages.id and messages.author_id = ${value("userId")}::uuid) as earlier,
      (select json_build_object('rating', rating, 'note', note, 'ratedAt', rated_at)
        from message_ratings where message_id = messages.id and user_id = ${value("userId")}::uuid) as rating,
      (select count(*)::int from waiting) as waiting
    from part join messages on messages.id = part.id
    where part.before < ${value("maxBytes")}::int order by messages.conversation_id, messages.id`,
);

export interface ExportPlace {
  conversationId: string;
  messageId: string;
}

/**
 * The messages after a place, of all conversations of a person, and the person's own in those that were left: as many as fit, and
 * whether there are more.
 */
export async function exportMessages(
  database: Database,
  where: ExportPlace & { userId: string; limit: number; maxBytes: number },
) {
  const rows = await messages(database, { ...where });
  return {
    hasMore: rows.length < (rows[0]?.waiting ?? 0),
    items: rows.map(({ conversationId, waiting: _, ...row }) => ({
      conversationId,
      message: {
        ...row,
        earlier: row.earlier.map((version) => ({ ...version, replacedAt: readInstant(version.replacedAt) })),
        rating: row.rating && { ...row.rating, ratedAt: readInstant(row.rating.ratedAt) },
        editedAt: readInstantOrNull(row.editedAt),
        createdAt: readInstant(row.createdAt),
      },
    })),
  };
}

type ConversationRow = Omit<Written<ExportedConversation>, "messages">;

const conversations = statement<Record<string, unknown>, ConversationRow>(
  "export_conversations",
  sql`select conversations.id, title, description, visibility, tags, metadata, system_prompt as "systemPrompt", model, members.role,
      created_at as "createdAt"
    from conversations ${joinReader(sql`conversations.id`)}
    where conversations.id in (select named::uuid from jsonb_array_elements_text(${value("ids")}::jsonb) as named)
      or (${value("includingEmpty")}::boolean
        and not exists (select 1 from messages where messages.conversation_id = conversations.id))
    order by conversations.id`,
);

export async function exportConversations(
  database: Database,
  { ids, ...where }: { userId: string; ids: readonly string[]; includingEmpty: boolean },
): Promise<Omit<ExportedConversation, "messages">[]> {
  const rows = await conversations(database, { ...where, ids: JSON.stringify(ids) });
  return rows.map((row) => ({ ...row, createdAt: readInstant(row.createdAt) }));
}
