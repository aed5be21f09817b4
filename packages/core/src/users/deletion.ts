import type { AccessChanges } from "../access/changes.ts";
import type { Audit } from "../audit/audit.ts";
import type { Actor, Origin } from "../auth/actor.ts";
import { requireSession } from "../auth/auth.ts";
import { normalizePassword } from "../auth/names.ts";
import { AppError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import { hasOtherAdministrator, isAdministrator, lockAccount, lockAdministrators } from "./account-lock.ts";
import { deleteUser, dissolveConversations, findCredentials } from "./deletion-queries.ts";
import { orGone } from "./own-account.ts";

export function createDeletion(
  { database, passwords }: Pick<Ports, "database" | "passwords">,
  { access, audit }: { access: AccessChanges; audit: Audit },
) {
  /** Everything goes or nothing does. Answers with the sessions that ended. */
  function remove(userId: string, wasAdministrator: boolean): Promise<string[]> {
    return database.transaction(async (transaction) => {
      if (wasAdministrator) await lockAdministrators(transaction);
      const account = orGone(await lockAccount(transaction, userId));
      if (isAdministrator(account)) {
        if (!wasAdministrator) throw new AppError("conflict", "Your rights have just changed: try again");
        if (!(await hasOtherAdministrator(transaction, userId))) {
          throw new AppError("conflict", "You are the last administrator: name another one first");
        }
      }
      await dissolveConversations(transaction, userId);
      return deleteUser(transaction, userId);
    });
  }

  return {
    async deleteAccount(actor: Actor, password: string, { address }: Pick<Origin, "address">): Promise<void> {
      requireSession(actor);
      const { userId } = actor;
      const target = `user:${userId}`;
      const found = orGone(await findCredentials(database, userId));
      if (!(await passwords.verify(found.passwordHash, normalizePassword(password)))) {
        audit.record({ actorId: userId, action: "account.delete", target, outcome: "refused", address });
        throw new AppError("invalid_credentials", "The password is wrong");
      }
      const sessionIds = await remove(userId, isAdministrator(found));
      for (const sessionId of sessionIds) access.apply({ kind: "session_ended", userId, sessionId });
      access.apply({ kind: "rights_changed", userId });
      audit.record({ actorId: null, action: "account.delete", target, outcome: "done", address: null });
    },
  };
}
