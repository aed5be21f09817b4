import type { Message } from "@parley/contract/events";
import { sql } from "drizzle-orm";
import { ownLeaf, walkUp } from "../conversations/branch-sql.ts";
import { joinReader } from "../conversations/member-sql.ts";
import type { Database } from "../database/index.ts";
import { readInstant, readInstantOrNull, statement, value, type Written } from "../database/statement.ts";

/** Where an imported message says who wrote it, in its metadata. In a file that is its author. */
export const importedAuthor = "importedAuthor";
const authorKey = sql.raw(`'${importedAuthor}'`);

export interface SavedConversation {
  id: string;
  title: string;
  description: string | null;
  tags: string[];
  metadata: Record<string, unknown>;
  model: string | null;
  systemPrompt: string | null;
  createdAt: Date;
}

const conversation = statement<{ userId: string; id: string }, Written<SavedConversation>>(
  "export_conversation",
  sql`select conversations.id, title, description, tags, metadata, model,
      system_prompt as "systemPrompt", created_at as "createdAt"
    from conversations ${joinReader(sql`conversations.id`)}
    where conversations.id = ${value("id")}::uuid`,
);

export async function findSavedConversation(
  database: Database,
  where: { userId: string; id: string },
): Promise<SavedConversation | null> {
  const [row] = await conversation(database, where);
  return row ? { ...row, createdAt: readInstant(row.createdAt) } : null;
}

/** A message, with what only an export asks for. */
export interface SavedMessage extends Omit<Message, "conversationId" | "author" | "runId" | "siblings"> {
  /** Without an id, somebody of whom only the name came with an import. */
  author: { id: string | null; name: string } | null;
  /** The reader's own. */
  rating: { rating: "up" | "down"; note: string | null } | null;
}

type MessageRow = Written<SavedMessage> & { waiting: number };

const columns = sql`
  messages.id, messages.parent_id as "parentId", messages.reply_to_id as "replyToId", messages.role, messages.type,
  messages.content, messages.parts, messages.status, messages.provider, messages.model, messages.usage,
  messages.finish_reason as "finishReason", messages.error, messages.metadata - ${authorKey} as metadata,
  messages.edited_at as "editedAt", messages.created_at as "createdAt",
  case when messages.author_id is not null
    then (select json_build_object('id', users.id, 'name', users.display_name) from users where users.id = messages.author_id)
    when jsonb_exists(messages.metadata, ${authorKey})
    then json_build_object('id', null, 'name', messages.metadata ->> ${authorKey}) end as author,
  (select json_build_object('rating', rating, 'note', note) from message_ratings
    where message_id = messages.id and user_id = ${value("userId")}::uuid) as rating`;

/** What a message takes in a file, nearly, and without reading it. */
const size = sql`octet_length(messages.content) + pg_column_size(messages.parts) + 400`;

const tree = statement<Record<string, unknown>, MessageRow>(
  "export_tree",
  sql`with waiting as (
      select messages.id, ${size} as size
      from messages ${joinReader(sql`messages.conversation_id`)}
      where messages.conversation_id = ${value("id")}::uuid and messages.id > ${value("after")}::uuid
      order by messages.id limit ${value("limit")}::int + 1),
    part as (select id, sum(size) over (order by id) - size as before from waiting order by id limit ${value("limit")}::int)
    select ${columns}, (select count(*)::int from waiting) as waiting
    from part join messages on messages.id = part.id
    where part.before < ${value("maxBytes")}::int order by messages.id`,
);

const branch = statement<Record<string, unknown>, MessageRow & { leafId: string }>(
  "export_branch",
  sql`with recursive place as (${ownLeaf(sql`${value("id")}::uuid`)}),
    branch as (${walkUp({
      from: sql`place join messages on messages.conversation_id = place.conversation_id and messages.id = place.leaf_id`,
      goesOn: sql`branch.parent_id <> ${value("after")}::uuid`,
    })}),
    first as (select id, depth from branch order by depth desc limit ${value("limit")}::int),
    part as (
      select first.id, depth, sum(${size}) over (order by depth desc) - ${size} as before
      from first join messages on messages.id = first.id)
    select ${columns}, (select count(*)::int from branch) as waiting, place.leaf_id as "leafId"
    from place, part join messages on messages.id = part.id
    where part.before < ${value("maxBytes")}::int order by part.depth desc`,
);

interface Part {
  userId: string;
  /** The conversation's. */
  id: string;
  after: string;
  limit: number;
  maxBytes: number;
}

/** The messages after one, of all branches: as many as nearly fit, and whether there are more. */
export async function listTree(database: Database, part: Part) {
  const rows = await tree(database, { ...part });
  return { messages: rows.map(toMessage), hasMore: rows.length < (rows[0]?.waiting ?? 0) };
}

/** The same for one branch, up to a leaf, or to the end of the one that its reader looks at. */
export async function listBranchPart(database: Database, part: Part & { leafId: string | null }) {
  const rows = await branch(database, { ...part });
  const leafId = rows[0]?.leafId ?? null;
  return {
    messages: rows.map(({ leafId: _, ...row }) => toMessage(row)),
    leafId,
    hasMore: rows.length < (rows[0]?.waiting ?? 0),
  };
}

function toMessage({ waiting: _, ...row }: MessageRow): SavedMessage {
  return { ...row, editedAt: readInstantOrNull(row.editedAt), createdAt: readInstant(row.createdAt) };
}
