import type { KeptCaller, RestingSubscription } from "@parley/api";
import type { TopicPlace } from "@parley/platform/workers";
import { named, type ServerSocket } from "@parley/platform/workers/runtime";
import type { Bindings } from "../bindings.ts";
import type { AccessPlace } from "../isolate/access-feed.ts";

/** What is kept of a socket whose object sleeps, in the socket's attachment: 16 KB at most. */
export interface RestedSocket extends KeptCaller {
  subscriptions: readonly RestingSubscription[];
  /** Whoever hears of changes of rights for it. */
  access: AccessPlace | { name: string; after: null };
  /** Where it stands in the topics that it follows. */
  places: readonly TopicPlace[];
  /** Since then nobody has listened to what passes. */
  since: number;
  /** What the client may not have read yet. */
  unread: number;
  /** The client was asked whether it is there, and has not answered. */
  isAsked: boolean;
}

/** Null while the socket's object is awake. */
export const restedSocket = (server: ServerSocket) => server.deserializeAttachment() as RestedSocket | null;

type Wakers = Pick<Bindings, "ACCESS" | "TOPICS">;

/** Whoever has something for this socket will wake it. False when something has come that it has to hear first. */
export async function askToBeWoken({ ACCESS, TOPICS }: Wakers, socket: string, rested: RestedSocket): Promise<boolean> {
  const { actor, access, places } = rested;
  if (!actor) return true;
  const { userId, sessionId } = actor;
  const sleeper = { socket, userId, sessionId, isListening: places.length > 0 };
  const answers = await Promise.all([
    named(ACCESS, access.name).sleep({ sleeper, after: access.after }),
    ...places.map(({ topic, after, passed }) => named(TOPICS, topic).sleep({ sleeper, after, passed })),
  ]);
  return answers.every((isQuiet) => isQuiet);
}

/** Whoever cannot be told finds out for itself. */
export async function wakeNoMore({ ACCESS, TOPICS }: Wakers, socket: string, rested: RestedSocket): Promise<void> {
  if (!rested.actor) return;
  const wakers = [named(ACCESS, rested.access.name), ...rested.places.map(({ topic }) => named(TOPICS, topic))];
  await Promise.allSettled(wakers.map((waker) => waker.leave(socket)));
}
