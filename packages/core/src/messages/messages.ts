import type { ListMessages, Message, MessageHistory, MessagePage, RateMessage } from "@parley/contract";
import type { Audit } from "../audit/audit.ts";
import type { Actor } from "../auth/actor.ts";
import type { Announcements } from "../conversations/announcements.ts";
import { findMembership } from "../conversations/queries.ts";
import type { Live } from "../live/live.ts";
import type { Ports } from "../ports.ts";
import { noConversation, noMessage } from "../refusals.ts";
import type { Settings } from "../settings.ts";
import { createBranches } from "./branches.ts";
import { createChanges } from "./changes.ts";
import { findHistory, findMessage, listBranchPage, rateMessage } from "./queries.ts";
import { createSearch } from "./search.ts";

export type Messages = ReturnType<typeof createMessages>;

const perPage = 50;

export function createMessages(
  ports: Pick<Ports, "database" | "ids">,
  settings: Pick<Settings, "messageMaxLength">,
  parts: { announcements: Announcements; audit: Audit; live: Live },
) {
  const { database } = ports;

  /** Why a page is empty: there is nothing to show, or not for this person. */
  async function refuseEmpty({ userId }: Actor, { conversationId, cursor, leafId }: ListMessages): Promise<void> {
    if ((await findMembership(database, userId, conversationId)) === null) throw noConversation();
    const named = cursor ?? leafId;
    if (named === undefined) return;
    const message = await findMessage(database, userId, named);
    if (message?.conversationId !== conversationId) throw noMessage();
  }

  return {
    ...createBranches(ports, parts),
    ...createChanges(ports, settings, parts),
    ...createSearch(ports),

    async list(actor: Actor, input: ListMessages): Promise<MessagePage> {
      const { conversationId, cursor, leafId, limit = perPage } = input;
      const where = { userId: actor.userId, conversationId, leafId: leafId ?? null, before: cursor ?? null, limit: limit + 1 };
      const { items, ratings } = await listBranchPage(database, where);
      if (items.length === 0) await refuseEmpty(actor, input);
      if (items.length <= limit) return { items, nextCursor: null, ratings };
      const [further, ...page] = items;
      const shown = ratings.filter(({ messageId }) => messageId !== further?.id);
      return { items: page, nextCursor: page[0]?.id ?? null, ratings: shown };
    },

    get: async (actor: Actor, id: string): Promise<Message> => orMissing(await findMessage(database, actor.userId, id)),

    history: async (actor: Actor, id: string): Promise<MessageHistory> =>
      orMissing(await findHistory(database, actor.userId, id)),

    async rate(actor: Actor, input: RateMessage): Promise<void> {
      if (!(await rateMessage(database, actor.userId, input))) throw noMessage();
    },
  };
}

function orMissing<Found>(found: Found | null): Found {
  if (found === null) throw noMessage();
  return found;
}
