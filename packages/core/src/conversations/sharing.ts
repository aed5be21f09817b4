import type { ReadShared, ShareConversation, Shared, SharedConversation } from "@parley/contract";
import type { Audit } from "../audit/audit.ts";
import type { Actor, Caller } from "../auth/actor.ts";
import { randomToken } from "../auth/secrets.ts";
import { AppError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import { noConversation } from "../refusals.ts";
import type { Settings } from "../settings.ts";
import type { Announcements } from "./announcements.ts";
import { changeAsOwner } from "./locks.ts";
import { shareUrl } from "./queries.ts";
import { findSharedConversation, listSharedMessages, setShareToken } from "./sharing-queries.ts";

const perPage = 50;

/** The read-only link to a conversation. */
export function createSharing(
  { database }: Pick<Ports, "database">,
  { publicUrl }: Pick<Settings, "publicUrl">,
  { announcements, audit }: { announcements: Announcements; audit: Audit },
) {
  return {
    /** Taken back, a link is gone for good: the next one is another. */
    async share(actor: Actor, { id, on }: ShareConversation, { address }: Caller): Promise<Shared> {
      const wanted = { id, token: on ? randomToken() : null };
      const shared = await changeAsOwner(database, { userId: actor.userId, id }, (transaction) =>
        setShareToken(transaction, wanted),
      );
      if (!shared) throw noConversation();
      const { before, token } = shared;
      if (token !== before) {
        audit.done(actor.userId, "conversation.share", { target: `conversation:${id}`, address, details: { on } });
        announcements.updated(id);
      }
      return { shareUrl: token && shareUrl(publicUrl, token) };
    },

    /** For whoever has the link. */
    async read({ token, cursor, limit = perPage }: ReadShared): Promise<SharedConversation> {
      const conversation = await findSharedConversation(database, token);
      if (!conversation) throw notShared();
      const { id, title, description, leafId } = conversation;
      const rows = await listSharedMessages(database, { conversationId: id, from: cursor ?? leafId, limit: limit + 1 });
      if (cursor !== undefined && rows.length === 0) throw notShared();
      const hasMore = rows.length > limit;
      const items = hasMore ? rows.slice(1) : rows;
      return { title, description, items, nextCursor: hasMore ? (rows[0]?.id ?? null) : null };
    },
  };
}

const notShared = () => new AppError("not_found", "This link leads nowhere: it was taken back, or was never made");
