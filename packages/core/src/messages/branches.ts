import type { ShowBranch } from "@parley/contract";
import type { Actor } from "../auth/actor.ts";
import type { Announcements } from "../conversations/announcements.ts";
import { lockBranch } from "../conversations/locks.ts";
import type { Ports } from "../ports.ts";
import { noMessageHere } from "../refusals.ts";
import { findNewestBelow, lookAt } from "./branch-queries.ts";

/** Which branch of a conversation a person looks at. */
export function createBranches({ database }: Pick<Ports, "database">, { announcements }: { announcements: Announcements }) {
  return {
    async showBranch({ userId }: Actor, where: ShowBranch): Promise<void> {
      const hasMoved = await database.transaction(async (transaction) => {
        const isPlace = await lockBranch(transaction, { userId, ...where });
        const leafId = isPlace ? await findNewestBelow(transaction, where.messageId) : null;
        if (leafId === null) throw noMessageHere();
        return lookAt(transaction, { userId, conversationId: where.conversationId, leafId });
      });
      if (hasMoved) await announcements.updatedFor(userId, where.conversationId);
    },
  };
}
