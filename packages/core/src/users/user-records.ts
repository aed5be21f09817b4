import type { Profile } from "@parley/contract";
import type { AccessChange } from "../access/changes.ts";
import type { Caches } from "../cache/caches.ts";
import type { Ports } from "../ports.ts";
import { findProfile } from "./queries.ts";

const ttlMs = 60 * 60_000;
const staleMs = 5 * 60_000;

export type UserRecords = ReturnType<typeof createUserRecords>;

/** What a person is shown of their own account, as each process remembers it: what somebody may do is the gatekeeper's to say. */
export function createUserRecords({ database }: Pick<Ports, "database">, { caches }: { caches: Caches }) {
  const records = caches.cached<Profile | null>({ name: "user", ttlMs, staleMs, keepMs: staleMs, droppedBy: ownerOfChanged });

  return {
    /** Null for an account that is gone. */
    find: (id: string): Promise<Profile | null> => records.get(id, () => findProfile(database, id)),
  };
}

function ownerOfChanged({ kind, userId }: AccessChange): string | null {
  switch (kind) {
    case "profile_changed":
    case "rights_changed":
      return userId;
    case "session_ended":
    case "membership_ended":
      return null;
  }
}
