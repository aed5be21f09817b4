import type { Preferences, Profile, UpdateProfile, Usage, UsageRange } from "@parley/contract";
import type { AccessChanges } from "../access/changes.ts";
import type { Audit } from "../audit/audit.ts";
import type { Actor, Origin } from "../auth/actor.ts";
import type { Budgets } from "../budgets/budgets.ts";
import { AppError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import { createDeletion } from "./deletion.ts";
import { createExport } from "./export.ts";
import { orGone } from "./own-account.ts";
import { findPreferences, findProfile, replacePreferences, sumUsage, updateProfile } from "./queries.ts";

const hourMs = 60 * 60_000;
const rangeMs: Record<UsageRange, number> = { "24h": 24 * hourMs, "7d": 7 * 24 * hourMs, "30d": 30 * 24 * hourMs };

export type Users = ReturnType<typeof createUsers>;

/** What people say of themselves, and what they have used. */
export function createUsers(
  ports: Pick<Ports, "database" | "clock" | "passwords">,
  { access, audit, budgets }: { access: AccessChanges; audit: Audit; budgets: Budgets },
) {
  const { database, clock } = ports;

  return {
    ...createDeletion(ports, { access, audit }),
    ...createExport(ports),

    profile: async (actor: Actor): Promise<Profile> => orGone(await findProfile(database, actor.userId)),

    async update(actor: Actor, changes: UpdateProfile, { address }: Pick<Origin, "address">): Promise<Profile> {
      const { userId } = actor;
      const changed = Object.entries(changes).flatMap(([name, wanted]) => (wanted === undefined ? [] : [name]));
      const profile = orGone(await updateProfile(database, userId, changes).catch(nameTaken));
      access.apply({ kind: "profile_changed", userId });
      const target = `user:${userId}`;
      audit.record({
        actorId: userId,
        action: "account.update",
        target,
        outcome: "done",
        address,
        details: { changed: changed.join(" ") },
      });
      return profile;
    },

    preferences: async (actor: Actor): Promise<Preferences> => orGone(await findPreferences(database, actor.userId)),

    setPreferences: async (actor: Actor, wanted: Preferences): Promise<Preferences> =>
      orGone(await replacePreferences(database, actor.userId, wanted)),

    async usage(actor: Actor, range: UsageRange): Promise<Usage> {
      const since = new Date(clock.now().getTime() - rangeMs[range]);
      const [spent, budget] = await Promise.all([sumUsage(database, actor.userId, since), budgets.standing(actor)]);
      return { range, since, ...spent, budget };
    },
  };
}

/** The only thing that an update of a profile can collide with is another's username. */
function nameTaken(error: unknown): never {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if ("code" in cause && cause.code === "23505") throw new AppError("username_taken", "This username is taken");
  }
  throw error;
}
