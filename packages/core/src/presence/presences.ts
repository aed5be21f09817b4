import type { Entered, Room } from "@parley/contract";
import type { AccessChanges } from "../access/changes.ts";
import type { Actor } from "../auth/actor.ts";
import { findMembership } from "../conversations/queries.ts";
import { AppError } from "../errors.ts";
import type { Live } from "../live/live.ts";
import type { Streams } from "../live/streams.ts";
import type { Ports } from "../ports.ts";
import { noConversation } from "../refusals.ts";
import {
  type Departure,
  enterRoom,
  expiredPresences,
  findRoomsToLeave,
  leaveRoom,
  lockPresence,
  lockPresenceForEntry,
  renewPresences,
} from "./queries.ts";
import type { Typing } from "./typing.ts";

const maxRooms = 50;
const renewMs = 30_000;
const sweepMs = 15_000;
/** Whoever reconnects within it has not been away. */
const graceMs = 5_000;
const graceRoundMs = 1_000;

/** Who looks at which conversation now: a lease for each session, renewed while it listens. */
export function createPresences(
  { database, background }: Pick<Ports, "database" | "background">,
  { access, live, streams, typing }: { access: AccessChanges; live: Live; streams: Streams; typing: Typing },
) {
  async function leave(conversationId: string, departure: Departure): Promise<void> {
    const leftIds = await database.transaction(async (transaction) => {
      await lockPresence(transaction, conversationId);
      const left = await leaveRoom(transaction, { conversationId, ...departure });
      // Told while the room is locked: lists reach people in the order in which they were true.
      if (left.leftIds.length > 0) live.tellNow(left.memberIds, { type: "presence", conversationId, users: left.users });
      return left.leftIds;
    });
    for (const userId of leftIds) typing.end(userId, conversationId);
  }

  /** A room at a time: no lock is held while another is waited for. */
  async function leaveAll(departure: Departure): Promise<void> {
    for (const conversationId of await findRoomsToLeave(database, departure)) await leave(conversationId, departure);
  }

  access.onChange((change) => {
    if (change.kind === "session_ended") {
      const { sessionId } = change;
      background.run("end presences", () => leaveAll({ sessionId, userId: null, unrenewedMs: null }));
    }
    if (change.kind === "membership_ended") {
      const { userId, conversationId } = change;
      background.run("end presences", () => leave(conversationId, { sessionId: null, userId, unrenewedMs: null }));
    }
  });

  // At once: the node that it listened to before would think it gone.
  streams.onListening((sessionId) => background.run("renew presences", () => renewPresences(database, [sessionId])));
  background.every("renew presences", renewMs, async () => {
    const sessionIds = streams.sessions();
    if (sessionIds.length > 0) await renewPresences(database, sessionIds);
  });
  background.every("end presences of silent sessions", graceRoundMs, async () => {
    for (const { sessionId, silentMs } of streams.takeSilent(graceMs)) {
      await leaveAll({ sessionId, userId: null, unrenewedMs: silentMs });
    }
  });
  background.every("sweep presences", sweepMs, () => leaveAll(expiredPresences));

  return {
    async enter({ userId, sessionId }: Actor, { conversationId }: Room): Promise<Entered> {
      return database.transaction(async (transaction) => {
        await lockPresenceForEntry(transaction, { sessionId, conversationId });
        const entered = await enterRoom(transaction, { conversationId, userId, sessionId }, maxRooms);
        if (!entered) throw noConversation();
        const { isIn, wasIn, users, memberIds } = entered;
        if (!isIn) throw new AppError("conflict", `You are in ${maxRooms} rooms already: leave one first`);
        if (!wasIn) live.tellNow(memberIds, { type: "presence", conversationId, users });
        return { users };
      });
    },

    /** On this device; whoever is in the room through another one stays. */
    async exit({ userId, sessionId }: Actor, { conversationId }: Room): Promise<void> {
      if ((await findMembership(database, userId, conversationId)) === null) throw noConversation();
      typing.end(userId, conversationId);
      await leave(conversationId, { sessionId, userId, unrenewedMs: null });
    },
  };
}
