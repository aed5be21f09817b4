import type { Preferences, Profile, UpdateProfile, Usage, UsageRange } from "@parley/contract";
import type { AccessChanges } from "../access/changes.ts";
import type { Audit } from "../audit/audit.ts";
import type { Actor, Caller } from "../auth/actor.ts";
import type { Budgets } from "../budgets/budgets.ts";
import { causesOf, ownCodeOf } from "../causes.ts";
import type { Announcements } from "../conversations/announcements.ts";
import { AppError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import { createDeletion } from "./deletion.ts";
import { createExport } from "./export.ts";
import { orGone } from "./own-account.ts";
import { findPreferences, replacePreferences, sumUsage, updateProfile } from "./queries.ts";
import type { UserRecords } from "./user-records.ts";

const hourMs = 60 * 60_000;
const rangeMs: Record<UsageRange, number> = { "24h": 24 * hourMs, "7d": 7 * 24 * hourMs, "30d": 30 * 24 * hourMs };

/** What people say of themselves, and what they have used. */
export function createUsers(
  ports: Pick<Ports, "database" | "background" | "clock" | "passwords">,
  parts: { access: AccessChanges; announcements: Announcements; audit: Audit; budgets: Budgets; records: UserRecords },
) {
  const { database, clock } = ports;
  const { access, audit, budgets, records } = parts;

  return {
    ...createDeletion(ports, parts),
    ...createExport(ports),

    profile: async (actor: Actor): Promise<Profile> => orGone(await records.find(actor.userId)),

    async update(actor: Actor, changes: UpdateProfile, { address }: Caller): Promise<Profile> {
      const { userId } = actor;
      const changed = Object.entries(changes).flatMap(([name, wanted]) => (wanted === undefined ? [] : [name]));
      const profile = orGone(await updateProfile(database, userId, changes).catch(nameTaken));
      access.apply({ kind: "profile_changed", userId });
      const target = `user:${userId}`;
      audit.done(userId, "account.update", { target, address, details: { changed: changed.join(" ") } });
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
  const isTaken = causesOf(error).some((cause) => ownCodeOf(cause) === "23505");
  if (isTaken) throw new AppError("username_taken", "This username is taken");
  throw error;
}
