import type { EditMessage, Message } from "@parley/contract";
import type { Audit, AuditAction } from "../audit/audit.ts";
import type { Actor, Caller } from "../auth/actor.ts";
import { forgetSummaries } from "../context/summary-queries.ts";
import type { Announcements } from "../conversations/announcements.ts";
import { lockOfMessage, lockRunOfMessage } from "../conversations/locks.ts";
import { AppError, invalidField } from "../errors.ts";
import type { Live } from "../live/live.ts";
import type { Ports } from "../ports.ts";
import { noMessage, readOnly } from "../refusals.ts";
import type { Settings } from "../settings.ts";
import { findNewestBelow } from "./branch-queries.ts";
import {
  findNewestRoot,
  findTarget,
  lockTarget,
  movePointers,
  removeMessage,
  replaceContent,
  type Target,
} from "./change-queries.ts";
import { findMessage } from "./queries.ts";

/** An answer may be longer than what a person may write. */
const answerMaxLength = 200_000;

/** What becomes of a message once it is there. */
export function createChanges(
  { database, ids }: Pick<Ports, "database" | "ids">,
  { messageMaxLength }: Pick<Settings, "messageMaxLength">,
  { announcements, audit, live }: { announcements: Announcements; audit: Audit; live: Live },
) {
  /** Notes what was done, and what was refused. Null is nothing to note. */
  async function recorded<Result>(
    { userId: actorId }: Actor,
    entry: { action: AuditAction; id: string } & Caller,
    change: () => Promise<Result | null>,
  ): Promise<Result | null> {
    const { action, id, address } = entry;
    const target = `message:${id}`;
    try {
      const result = await change();
      if (result !== null) audit.done(actorId, action, { target, address });
      return result;
    } catch (error) {
      if (error instanceof AppError && error.reason === "forbidden") audit.refused(actorId, action, { target, address });
      throw error;
    }
  }

  function checkLength(content: string, { role }: Target) {
    const most = role === "user" ? messageMaxLength : answerMaxLength;
    if (content.length > most) throw invalidField("content", `A message has at most ${most} characters`);
  }

  return {
    /** What it said before is kept. The same words again change nothing. */
    async edit(actor: Actor, { id, content }: EditMessage, { address }: Caller): Promise<Message> {
      const { userId } = actor;
      const changed = await recorded(actor, { action: "message.edit", id, address }, () =>
        database.transaction(async (transaction) => {
          const target = await lockTarget(transaction, userId, id);
          if (!target) throw noMessage();
          checkMayEdit(userId, target);
          checkLength(content, target);
          if (target.content === content) return null;
          await forgetSummaries(transaction, id);
          return replaceContent(transaction, { id, content, userId, editId: ids.next() });
        }),
      );
      if (changed) live.tell(changed.memberIds, { type: "message-updated", message: changed.message });
      const message = changed?.message ?? (await findMessage(database, userId, id));
      if (!message) throw noMessage();
      return message;
    },

    /** Only the message goes: what followed it hangs on what came before it. */
    async delete(actor: Actor, id: string, { address }: Caller): Promise<void> {
      const { userId } = actor;
      const deleted = await recorded(actor, { action: "message.delete", id, address }, () =>
        database.transaction(async (transaction) => {
          await lockOfMessage(transaction, userId, id);
          const target = await findTarget(transaction, userId, id);
          if (!target) throw noMessage();
          checkMayDelete(userId, target);
          const { conversationId, parentId, authorId, isLeaf } = target;
          const run = await lockRunOfMessage(transaction, id);
          await forgetSummaries(transaction, id);
          await removeMessage(transaction, { id, parentId });
          const above = isLeaf ? (parentId ?? (await findNewestRoot(transaction, conversationId))) : null;
          const leafId = above && (await findNewestBelow(transaction, above));
          const askerId = run?.userId ?? null;
          const memberIds = await movePointers(transaction, { id, conversationId, authorId, askerId, leafId });
          return { conversationId, memberIds };
        }),
      );
      if (!deleted) return;
      const { conversationId, memberIds } = deleted;
      live.tell(memberIds, { type: "message-deleted", conversationId, messageId: id });
      announcements.updated(conversationId);
    },
  };
}

function checkMayEdit(userId: string, { role, status, authorId, myRole }: Target) {
  checkMayWrite(myRole);
  if (role === "user" && authorId !== userId) {
    throw new AppError("forbidden", "Only who wrote a message can change it");
  }
  if (status === "running") throw new AppError("conflict", "This answer is still being written: stop it first");
}

function checkMayDelete(userId: string, { role, authorId, myRole }: Target) {
  checkMayWrite(myRole);
  if (myRole !== "owner" && role === "user" && authorId !== userId) {
    throw new AppError("forbidden", "Only who wrote a message, or an owner, can delete it");
  }
}

function checkMayWrite(role: Target["myRole"]) {
  if (role === "viewer") throw readOnly();
}
