import type { CreateConversation, UpdateConversation } from "@parley/contract";
import type { Conversation } from "@parley/contract/events";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";
import { lockRunsOf } from "./locks.ts";

export interface NewConversation extends Omit<CreateConversation, "title"> {
  id: string;
  ownerId: string;
  title: string;
  titleBy: "words" | "person";
}

const insert = statement<Record<string, unknown>, never>(
  "insert_conversation",
  sql`with conversation as (
      insert into conversations (id, title, title_by, description, visibility, tags, metadata, model, system_prompt)
      select ${value("id")}::uuid, ${value("title")}, ${value("titleBy")}, ${value("description")}, ${value("visibility")},
        array(select jsonb_array_elements_text(${value("tags")}::jsonb)), ${value("metadata")}::jsonb, ${value("model")},
        ${value("systemPrompt")}
      returning id)
    insert into members (conversation_id, user_id, role) select id, ${value("ownerId")}::uuid, 'owner' from conversation`,
);

export async function insertConversation(database: Database, conversation: NewConversation): Promise<void> {
  const { description, visibility, tags, metadata, model, systemPrompt, ...rest } = conversation;
  await insert(database, {
    ...rest,
    description: description ?? null,
    visibility: visibility ?? "private",
    tags: JSON.stringify(tags ?? []),
    metadata: JSON.stringify(metadata ?? {}),
    model: model ?? null,
    systemPrompt: systemPrompt ?? null,
  });
}

/** Keys that are not among the changes stay; their presence is asked for, because null is a value. */
const named = (key: string) => sql`jsonb_exists(${value("changes")}::jsonb, ${sql.raw(`'${key}'`)})`;

const changed = (column: string, key: string, wanted: SQL = sql`${value("changes")}::jsonb ->> ${sql.raw(`'${key}'`)}`) => {
  const name = sql.identifier(column);
  return sql`${name} = case when ${named(key)} then ${wanted} else conversations.${name} end`;
};

const update = statement<Record<string, unknown>, Pick<Conversation, "visibility">>(
  "update_conversation",
  sql`update conversations set ${changed("title", "title")}, ${changed("title_by", "title", sql`'person'`)},
      ${changed("description", "description")}, ${changed("visibility", "visibility")}, ${changed("model", "model")},
      ${changed("system_prompt", "systemPrompt")}, ${changed("metadata", "metadata", sql`${value("changes")}::jsonb -> 'metadata'`)},
      ${changed("tags", "tags", sql`array(select jsonb_array_elements_text(${value("changes")}::jsonb -> 'tags'))`)},
      ${changed(
        "archived_at",
        "archived",
        sql`case when (${value("changes")}::jsonb -> 'archived')::boolean then coalesce(conversations.archived_at, now()) end`,
      )},
      updated_at = now()
    from members mine, conversations before
    where conversations.id = ${value("id")}::uuid and before.id = conversations.id
      and mine.conversation_id = conversations.id and mine.user_id = ${value("userId")}::uuid
      and (mine.role = 'owner' or mine.role = 'editor' and not ${named("visibility")})
    returning before.visibility`,
);

/** What it was before; null when it is not this person's to change so. */
export async function updateConversation(database: Database, userId: string, { id, ...changes }: UpdateConversation) {
  const [before] = await update(database, { userId, id, changes: JSON.stringify(changes) });
  return before ?? null;
}

const pin = statement<Record<string, unknown>, never>(
  "pin_conversation",
  sql`update members set pinned = ${value("pinned")}::boolean
    where conversation_id = ${value("id")}::uuid and user_id = ${value("userId")}::uuid`,
);

export async function pinConversation(
  database: Database,
  pinned: { id: string; userId: string; pinned: boolean },
): Promise<void> {
  await pin(database, pinned);
}

const these = sql`any(array(select jsonb_array_elements_text(${value("ids")}::jsonb)::uuid))`;

const remove = statement<{ ids: string }, never>(
  "delete_conversations",
  sql`with told as (
      insert into access_changes (kind, user_id, conversation_id)
      select 'membership_ended', user_id, conversation_id from members where conversation_id = ${these})
    delete from conversations where id = ${these}`,
);

/** With everything in them, and every node hears whose memberships end. For whoever holds their locks. */
export async function deleteConversations(transaction: Database, conversationIds: readonly string[]): Promise<void> {
  if (conversationIds.length === 0) return;
  await lockRunsOf(transaction, conversationIds);
  await remove(transaction, { ids: JSON.stringify(conversationIds) });
}
