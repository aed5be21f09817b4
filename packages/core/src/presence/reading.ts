import type { MarkRead } from "@parley/contract";
import type { Actor } from "../auth/actor.ts";
import type { Live } from "../live/live.ts";
import type { Ports } from "../ports.ts";
import { noConversation, noMessageHere } from "../refusals.ts";
import { lockReader, markReadThrough } from "./reading-queries.ts";

/** How far each person has read. */
export function createReading({ database }: Pick<Ports, "database">, { live }: { live: Live }) {
  return {
    /** Everything up to a message has been read; a position never goes back. */
    async mark({ userId }: Actor, { conversationId, messageId }: MarkRead): Promise<void> {
      const { before, marked } = await database.transaction(async (transaction) => {
        const reader = await lockReader(transaction, { conversationId, userId });
        if (!reader) throw noConversation();
        const read = await markReadThrough(transaction, { conversationId, userId, messageId });
        if (!read) throw noMessageHere();
        return { before: reader.lastReadId, marked: read };
      });
      if (marked.lastReadId === before) return;
      live.tell(marked.memberIds, { type: "read", conversationId, userId, messageId });
    },
  };
}
