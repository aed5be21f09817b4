import type { MemberRole, Message, MessageRole, MessageStatus } from "@parley/contract";
import { type SQL, sql } from "drizzle-orm";
import { joinReader, memberIds } from "../conversations/member-sql.ts";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";
import { type MessageRow, messageColumns, toMessage } from "./queries.ts";

/** What decides whether somebody may change a message. */
export interface Target {
  conversationId: string;
  parentId: string | null;
  role: MessageRole;
  status: MessageStatus;
  authorId: string | null;
  content: string;
  /** Its conversation, or somebody, looks at it as the end of a branch. */
  isLeaf: boolean;
  myRole: MemberRole;
}

const target = (locking: SQL) => sql`
  select messages.conversation_id as "conversationId", messages.parent_id as "parentId", messages.role, messages.status,
    messages.author_id as "authorId", messages.content, members.role as "myRole",
    exists (select from conversations where conversations.id = messages.conversation_id and conversations.leaf_id = messages.id)
      or exists (select from members others where others.conversation_id = messages.conversation_id
        and others.leaf_id = messages.id) as "isLeaf"
  from messages ${joinReader(sql`messages.conversation_id`)}
  where messages.id = ${value("id")}::uuid ${locking}`;

const targetById = statement<{ userId: string; id: string }, Target>("message_target", target(sql``));
const lockedTarget = statement<{ userId: string; id: string }, Target>(
  "lock_message",
  target(sql`for no key update of messages`),
);

/** Null for a message that does not exist, and for somebody else's. */
export async function findTarget(transaction: Database, userId: string, id: string): Promise<Target | null> {
  const [found] = await targetById(transaction, { userId, id });
  return found ?? null;
}

/** Two edits at once come one after the other, and the later one sees what the earlier one wrote. */
export async function lockTarget(transaction: Database, userId: string, id: string): Promise<Target | null> {
  const [found] = await lockedTarget(transaction, { userId, id });
  return found ?? null;
}

type Changed = MessageRow & { memberIds: string[] };

const replace = statement<Record<string, unknown>, Changed>(
  "edit_message",
  // By the clock, not by the beginning of the transaction: that may be before an edit that was waited for. And later than the last
  // edit, whatever the clock says: readers tell states apart by it, however they come.
  sql`with kept as (
      insert into message_edits (id, message_id, editor_id, content, replaced_at)
      select ${value("editId")}::uuid, id, ${value("userId")}::uuid, content, clock_timestamp() from messages
      where id = ${value("id")}::uuid),
    changed as (
      update messages set content = ${value("content")},
        edited_at = greatest(clock_timestamp(), edited_at + interval '1 millisecond'),
        type = case when type = 'error' then 'text' else type end,
        parts = coalesce((select jsonb_agg(part order by place) from jsonb_array_elements(parts) with ordinality as old(part, place)
            where part->>'type' <> 'text'), '[]')
          || jsonb_build_array(jsonb_build_object('type', 'text', 'text', ${value("content")}::text))
      where id = ${value("id")}::uuid returning *)
    select ${messageColumns(sql`changed`)}, ${memberIds(sql`changed.conversation_id`)} as "memberIds" from changed`,
);

/** Of a message that is locked. Calls of tools and reasoning stay, before the one text that is now there. */
export async function replaceContent(
  transaction: Database,
  change: { id: string; content: string; userId: string; editId: string },
): Promise<{ message: Message; memberIds: string[] } | null> {
  const [changed] = await replace(transaction, change);
  if (!changed) return null;
  const { memberIds, ...row } = changed;
  return { message: toMessage(row), memberIds };
}

const moveChildren = statement<{ id: string; parentId: string | null }, never>(
  "move_children",
  sql`update messages set parent_id = ${value("parentId")}::uuid where parent_id = ${value("id")}::uuid`,
);

const remove = statement<{ id: string }, never>("delete_message", sql`delete from messages where id = ${value("id")}::uuid`);

/** What followed it hangs on what came before it. Its conversation is locked. */
export async function removeMessage(transaction: Database, where: { id: string; parentId: string | null }): Promise<void> {
  await moveChildren(transaction, where);
  await remove(transaction, { id: where.id });
}

const newestRoot = statement<{ conversationId: string }, { id: string }>(
  "newest_root",
  sql`select id from messages where conversation_id = ${value("conversationId")}::uuid and parent_id is null order by id desc limit 1`,
);

export async function findNewestRoot(transaction: Database, conversationId: string): Promise<string | null> {
  const [root] = await newestRoot(transaction, { conversationId });
  return root?.id ?? null;
}

const pointers = statement<Record<string, unknown>, { memberIds: string[] }>(
  "move_pointers",
  // Unread are the newest of what others wrote and asked for, as many as are counted: one of them, or older and read.
  sql`with conversation as (
      update conversations set message_count = greatest(message_count - 1, 0),
        leaf_id = case when leaf_id = ${value("id")}::uuid then ${value("leafId")}::uuid else leaf_id end
      where id = ${value("conversationId")}::uuid returning leaf_id),
    unread as (
      select reader.user_id from members reader
      where reader.conversation_id = ${value("conversationId")}::uuid and reader.unread_count > 0
        and ${value("authorId")}::uuid is distinct from reader.user_id and ${value("askerId")}::uuid is distinct from reader.user_id
        and reader.unread_count > (select count(*) from (
          select 1 from messages newer left join runs on runs.id = newer.run_id
          where newer.conversation_id = ${value("conversationId")}::uuid and newer.id > ${value("id")}::uuid
            and newer.author_id is distinct from reader.user_id and runs.user_id is distinct from reader.user_id
          limit reader.unread_count) as newer)),
    moved as (
      update members set
        leaf_id = nullif(case when members.leaf_id = ${value("id")}::uuid then ${value("leafId")}::uuid else members.leaf_id end,
          conversation.leaf_id),
        last_read_id = case when last_read_id = ${value("id")}::uuid then (
            select earlier.id from messages earlier where earlier.conversation_id = ${value("conversationId")}::uuid
              and earlier.id < ${value("id")}::uuid order by earlier.id desc limit 1)
          else last_read_id end,
        unread_count = unread_count - case when user_id in (select user_id from unread) then 1 else 0 end
      from conversation where members.conversation_id = ${value("conversationId")}::uuid
        and (members.leaf_id = ${value("id")}::uuid or last_read_id = ${value("id")}::uuid or user_id in (select user_id from unread)))
    select ${memberIds(sql`${value("conversationId")}::uuid`)} as "memberIds"`,
);

interface Gone {
  id: string;
  conversationId: string;
  authorId: string | null;
  /** Who asked for it, where it is an answer. */
  askerId: string | null;
  /** Where those go who looked at it. */
  leafId: string | null;
}

/** Whatever named a message names a neighbour from now on, and counts one less. Answers with who is to be told. */
export async function movePointers(transaction: Database, gone: Gone): Promise<string[]> {
  const [moved] = await pointers(transaction, { ...gone });
  return moved?.memberIds ?? [];
}
