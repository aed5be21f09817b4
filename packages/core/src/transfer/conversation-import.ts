import type { Conversation, ConversationFile, ImportConversation } from "@parley/contract";
import type { Audit } from "../audit/audit.ts";
import type { Actor, Caller } from "../auth/actor.ts";
import type { Announcements } from "../conversations/announcements.ts";
import { insertConversation } from "../conversations/change-queries.ts";
import type { Conversations } from "../conversations/conversations.ts";
import { changeAsOwner } from "../conversations/locks.ts";
import type { Database } from "../database/index.ts";
import { invalidField } from "../errors.ts";
import type { Live } from "../live/live.ts";
import type { Ports } from "../ports.ts";
import { checkFile, faultAt } from "./file-checks.ts";
import { findKnown, insertImported, insertRatings, settleImported } from "./import-queries.ts";
import { importedConversationId } from "./imported-ids.ts";
import { type ImportedMessage, toImported } from "./imported-messages.ts";

/** As much as the clocks of two servers may differ. */
const aheadMs = 24 * 3_600_000;

interface Target {
  userId: string;
  id: string;
  isNew: boolean;
}

export function createImport(
  { database, clock, ids }: Pick<Ports, "database" | "clock" | "ids">,
  parts: { announcements: Announcements; audit: Audit; conversations: Conversations; live: Live },
) {
  const { announcements, audit, conversations, live } = parts;

  /** All of a part or nothing. Answers with how many messages were new. */
  function write(target: Target, { conversation }: ConversationFile, messages: ImportedMessage[]): Promise<number> {
    const { id, userId, isNew } = target;
    const { createdAt, ...rest } = conversation;

    async function add(transaction: Database, there: ReadonlySet<string>): Promise<number> {
      checkNamed(messages, there);
      const added = messages.filter(({ row }) => !there.has(row.id));
      const rows = added.map(({ row }) => row);
      await insertImported(transaction, id, rows);
      const ratings = added.flatMap(({ row, rating }) => (rating ? [{ messageId: row.id, ...rating }] : []));
      await insertRatings(transaction, userId, ratings);
      const settled = { ...target, createdAt, activeAt: lastActivity(rows, clock.now()), count: added.length };
      if (isNew || added.length > 0) await settleImported(transaction, settled);
      return added.length;
    }

    if (!isNew) {
      return changeAsOwner(database, target, async (transaction) => {
        await checkSource(target, conversation.id);
        return add(transaction, await findKnown(transaction, id, namesOf(messages)));
      });
    }
    return database.transaction(async (transaction) => {
      await insertConversation(transaction, { ...rest, id, ownerId: userId, titleBy: "person" });
      return add(transaction, new Set());
    });
  }

  return {
    async import(actor: Actor, { data, into }: ImportConversation, { address }: Caller): Promise<Conversation> {
      checkFile(data, new Date(clock.now().getTime() + aheadMs));
      const { userId } = actor;
      const id = into ?? (await importedConversationId(ids.next(), { userId, source: data.conversation.id }));
      const target = { userId, id, isNew: into === undefined };
      const messages = await toImported(target, data.messages);
      const count = await write(target, data, messages);
      const conversation = await conversations.get(actor, id);
      if (target.isNew) live.tell([userId], { type: "conversation-created", conversation });
      else if (count > 0) announcements.updated(id);
      audit.done(actor.userId, "conversation.import", { target: `conversation:${id}`, address, details: { messages: count } });
      return conversation;
    },
  };
}

/** Only what an import made is imported into, by its owner: nobody finds a past in a conversation that it never had. */
async function checkSource({ userId, id }: Target, source: string): Promise<void> {
  if (id === (await importedConversationId(id, { userId, source }))) return;
  throw invalidField("into", "This conversation was not made by importing an earlier part of this file");
}

function namesOf(messages: readonly ImportedMessage[]): string[] {
  const names = new Set(messages.flatMap(({ row }) => [row.id, row.parentId, row.replyToId]));
  return [...names].filter((name) => name !== null);
}

/** What a message names comes with it, or is in the conversation. */
function checkNamed(messages: readonly ImportedMessage[], there: ReadonlySet<string>): void {
  const own = new Set(messages.map(({ row }) => row.id));
  for (const [index, { row }] of messages.entries()) {
    for (const field of ["parentId", "replyToId"] as const) {
      const named = row[field];
      if (named === null || own.has(named) || there.has(named)) continue;
      throw faultAt(index, field, "This message is neither in this part nor in what was imported before");
    }
  }
}

function lastActivity(rows: readonly ImportedMessage["row"][], now: Date): Date {
  const last = Math.max(...rows.map(({ createdAt }) => createdAt.getTime()));
  return rows.length > 0 && last < now.getTime() ? new Date(last) : now;
}
