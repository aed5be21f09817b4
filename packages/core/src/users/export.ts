import type { AccountExport, ExportedMessage, GetExport } from "@parley/contract";
import type { Actor } from "../auth/actor.ts";
import { firstId, foreignCursor, uuid } from "../cursors.ts";
import { AppError } from "../errors.ts";
import { listKeys } from "../keys/queries.ts";
import { mayUse } from "../keys/scopes.ts";
import type { Ports } from "../ports.ts";
import { type ExportPlace, exportConversations, exportMessages, exportSessions } from "./export-queries.ts";
import { orGone } from "./own-account.ts";
import { findPreferences, findProfile } from "./queries.ts";

/** What a server holds in memory for one part. */
const part = { limit: 2_000, maxBytes: 4 * 1024 * 1024 };

const place = new RegExp(`^(${uuid})_(${uuid})$`);

/** Everything of one person, in parts; no secret, and of secrets no hash. */
export function createExport({ database, clock }: Pick<Ports, "database" | "clock">) {
  return {
    async export(actor: Actor, input: GetExport): Promise<AccountExport> {
      if (!mayUse(actor, "chat.read")) throw new AppError("forbidden", "This API key may not read conversations");
      const { userId } = actor;
      const cursor = input?.cursor;
      const after = cursor === undefined ? { conversationId: firstId, messageId: firstId } : parsePlace(cursor);
      const [profile, preferences, sessions, apiKeys, { items, hasMore }] = await Promise.all([
        findProfile(database, userId),
        findPreferences(database, userId),
        exportSessions(database, userId),
        listKeys(database, userId),
        exportMessages(database, { userId, ...after, ...part }),
      ]);
      const messages = new Map<string, ExportedMessage[]>();
      for (const { conversationId, message } of items) {
        const others = messages.get(conversationId);
        if (others) others.push(message);
        else messages.set(conversationId, [message]);
      }
      const which = { userId, ids: [...messages.keys()], includingEmpty: cursor === undefined };
      const conversations = await exportConversations(database, which);
      const present = new Set(conversations.map(({ id }) => id));
      const last = hasMore ? items.at(-1) : undefined;
      return {
        exportedAt: clock.now(),
        profile: orGone(profile),
        preferences: orGone(preferences),
        sessions,
        apiKeys,
        conversations: conversations.map((conversation) => ({ ...conversation, messages: messages.get(conversation.id) ?? [] })),
        leftConversations: Array.from(messages)
          .filter(([id]) => !present.has(id))
          .map(([id, held]) => ({ id, messages: held.filter(({ author }) => author?.id === userId) })),
        nextCursor: last ? `${last.conversationId}_${last.message.id}` : null,
      };
    },
  };
}

function parsePlace(cursor: string): ExportPlace {
  const [, conversationId, messageId] = place.exec(cursor) ?? [];
  if (conversationId === undefined || messageId === undefined) throw foreignCursor();
  return { conversationId, messageId };
}
