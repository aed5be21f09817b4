import type { AccessChanges } from "../access/changes.ts";
import type { Audit } from "../audit/audit.ts";
import type { Actor, Caller } from "../auth/actor.ts";
import { requireSession } from "../auth/auth.ts";
import { normalizePassword } from "../auth/names.ts";
import type { Announcements } from "../conversations/announcements.ts";
import { lockAllOf } from "../conversations/locks.ts";
import { AppError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import { hasOtherAdministrator, isAdministrator, lockAccount, lockAdministrators } from "./account-lock.ts";
import { deleteUser, findCredentials, leaveConversations } from "./deletion-queries.ts";
import { orGone } from "./own-account.ts";
import { toPerson } from "./person.ts";

export function createDeletion(
  { database, background, passwords }: Pick<Ports, "database" | "background" | "passwords">,
  { access, announcements, audit }: { access: AccessChanges; announcements: Announcements; audit: Audit },
) {
  /** Everything goes or nothing does. Answers with the sessions that ended, and the conversations that go on. */
  function remove(userId: string, wasAdministrator: boolean) {
    return database.transaction(async (transaction) => {
      if (wasAdministrator) await lockAdministrators(transaction);
      await lockAllOf(transaction, userId);
      const account = orGone(await lockAccount(transaction, userId));
      if (isAdministrator(account)) {
        if (!wasAdministrator) throw new AppError("conflict", "Your rights have just changed: try again");
        if (!(await hasOtherAdministrator(transaction, userId))) {
          throw new AppError("conflict", "You are the last administrator: name another one first");
        }
      }
      const left = await leaveConversations(transaction, userId);
      return { ...left, sessionIds: await deleteUser(transaction, userId) };
    });
  }

  return {
    async deleteAccount(actor: Actor, password: string, { address }: Caller): Promise<void> {
      requireSession(actor);
      const { userId } = actor;
      const target = `user:${userId}`;
      const found = orGone(await findCredentials(database, userId));
      if (!(await passwords.verify(found.passwordHash, normalizePassword(password)))) {
        audit.refused(userId, "account.delete", { target, address });
        throw new AppError("invalid_credentials", "The password is wrong");
      }
      const { sessionIds, conversationIds, heirs } = await remove(userId, isAdministrator(found));
      for (const sessionId of sessionIds) access.apply({ kind: "session_ended", userId, sessionId });
      access.apply({ kind: "rights_changed", userId });
      for (const conversationId of conversationIds) access.apply({ kind: "membership_ended", userId, conversationId });
      audit.done(null, "account.delete", { target, address: null });
      for (const { id, userId: heirId } of heirs) {
        const details = { userId: heirId, role: "owner" };
        audit.done(null, "member.role", { target: `conversation:${id}`, address: null, details });
      }
      // One person may leave very many.
      background.run("tell of a deleted account", async () => {
        for (const id of conversationIds) await announcements.left(id, toPerson(userId, found.displayName));
      });
    },
  };
}
