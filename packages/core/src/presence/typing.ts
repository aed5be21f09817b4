import type { Typing as TypingInput } from "@parley/contract";
import type { Person } from "@parley/contract/events";
import type { AccessChanges } from "../access/changes.ts";
import type { Actor } from "../auth/actor.ts";
import type { Live } from "../live/live.ts";
import type { Ports } from "../ports.ts";
import { noConversation, readOnly } from "../refusals.ts";
import { findTypist } from "./typing-queries.ts";

/** What was said last of a person in a room. */
interface Said {
  readonly userId: string;
  readonly conversationId: string;
  readonly typing: boolean;
  /** Null until the others were told. */
  toldAt: number | null;
  endsAt: number;
}

/** Whoever is silent for so long has stopped typing. */
const endMs = 8_000;
const repeatMs = 1_000;
const roundMs = 1_000;

const keyOf = (userId: string, conversationId: string) => `${conversationId}:${userId}`;

export type Typing = ReturnType<typeof createTyping>;

/** Who is writing something. It is kept in this process only: what passes in seconds need not outlive it. */
export function createTyping(
  { database, background, clock }: Pick<Ports, "database" | "background" | "clock">,
  { access, live }: { access: AccessChanges; live: Live },
) {
  const rooms = new Map<string, Said>();
  const now = () => clock.now().getTime();

  function tell(conversationId: string, { who, typing }: { who: Person; typing: boolean }, userIds: readonly string[]) {
    live.tellNow(userIds, { type: "typing", conversationId, who, typing });
  }

  function end(userId: string, conversationId: string) {
    const key = keyOf(userId, conversationId);
    const said = rooms.get(key);
    rooms.delete(key);
    if (said?.typing) background.run("end typing", () => tellEnd(userId, conversationId));
  }

  async function tellEnd(userId: string, conversationId: string) {
    const found = await findTypist(database, userId, conversationId);
    if (found && !rooms.get(keyOf(userId, conversationId))?.typing) {
      tell(conversationId, { who: found.person, typing: false }, found.otherIds);
    }
  }

  access.onChange((change) => {
    if (change.kind === "membership_ended") end(change.userId, change.conversationId);
  });
  background.every("end typing", roundMs, async () => {
    for (const { userId, conversationId, endsAt } of rooms.values()) {
      if (endsAt <= now()) end(userId, conversationId);
    }
  });

  return {
    async say({ userId }: Actor, { conversationId, typing }: TypingInput): Promise<void> {
      const key = keyOf(userId, conversationId);
      const before = rooms.get(key);
      const at = now();
      if (before?.typing === typing && before.toldAt !== null && (!typing || at - before.toldAt < repeatMs)) {
        before.endsAt = at + endMs;
        return;
      }
      const said: Said = { userId, conversationId, typing, toldAt: null, endsAt: at + endMs };
      rooms.set(key, said);
      try {
        const found = await findTypist(database, userId, conversationId);
        if (!found?.role) throw noConversation();
        if (found.role === "viewer") throw readOnly();
        // Otherwise something newer was said meanwhile, and is told instead.
        if (rooms.get(key) !== said) return;
        said.toldAt = at;
        tell(conversationId, { who: found.person, typing }, found.otherIds);
      } catch (error) {
        if (rooms.get(key) === said) rooms.delete(key);
        throw error;
      }
    },
    /** The person has done something else in that room. */
    end,
  };
}
