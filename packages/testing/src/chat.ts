import type { LiveEvent, MemberRole, RunEvent } from "@parley/contract/events";
import { type Actor, type FeedEntry, followFeed, type Services } from "@parley/core";
import { schema } from "@parley/core/database";
import { expect } from "vitest";
import type { scriptedProvider } from "./provider.ts";
import { testServices } from "./services.ts";

const { conversations, members } = schema;

export type TestChat = ReturnType<typeof testChat>;

type Node = Pick<ReturnType<typeof testServices>, "ports" | "clock" | "turns" | "live" | "follow"> & {
  person(): Promise<{ actor: Actor }>;
};

interface Place {
  conversationId?: string | undefined;
  parentId?: string;
}

/** What people do in conversations of a node, and what their devices hear. A scripted provider writes the answers. */
export function testChat(node: Node, scripted?: ReturnType<typeof scriptedProvider>) {
  const { database, ids } = node.ports;
  let sent = 0;
  const message = (content = "Hello") => ({ clientMessageId: `message-${++sent}`, content });

  async function join(conversationId: string, { userId }: Actor, role: MemberRole = "editor") {
    await database.insert(members).values({ conversationId, userId, role });
  }

  /** Without an answer. */
  const say = (actor: Actor, conversationId?: string) => node.turns.send(actor, { ...message(), answer: false, conversationId });

  async function ask(actor: Actor, input: Place & { content?: string }) {
    const accepted = await node.turns.send(actor, { ...message(), ...input });
    if (!scripted || !accepted.answer) throw new Error("Nobody writes an answer here");
    const { messageId: answerId, runId } = accepted.answer;
    return { ...accepted, answerId, runId, stream: await scripted.next() };
  }

  return {
    message,
    say,

    /** A turn whose answer is all there. */
    async answered(actor: Actor, text: string, input: Place & { content?: string } = {}) {
      const { stream, ...turn } = await ask(actor, input);
      stream.text(text).end();
      return { ...turn, entries: await collect(await node.follow(actor, { runId: turn.runId })) };
    },

    /** A turn whose answer has begun and goes on. */
    async begun(actor: Actor, text: string, input: Place = {}) {
      const turn = await ask(actor, input);
      turn.stream.text(text);
      await collect(await node.follow(actor, { runId: turn.runId }), isText);
      return turn;
    },

    async people(count: number): Promise<Actor[]> {
      const people = await Promise.all(Array.from({ length: count }, () => node.person()));
      return people.map(({ actor }) => actor);
    },

    /** The same person on another device. */
    device: (actor: Actor): Actor => ({ ...actor, sessionId: ids.next() }),

    /** A conversation that is simply there. Whoever is named first has joined first. */
    async together(...people: [Actor, MemberRole][]) {
      const id = ids.next();
      await database.insert(conversations).values({ id, title: "A talk" });
      const rows = people.map(([{ userId }, role], index) => {
        const joinedAt = new Date((index + 1) * 1_000);
        return { conversationId: id, userId, role, joinedAt };
      });
      await database.insert(members).values(rows);
      return id;
    },

    /** A conversation with its first message; the others are editors. */
    async room(owner: Actor, ...others: Actor[]) {
      const { conversationId } = await say(owner);
      for (const other of others) await join(conversationId, other);
      return conversationId;
    },

    /** As the database sees it; nobody is told. */
    join,
    async remove(conversationId: string, { userId }: Actor) {
      await database.execute(`delete from members where conversation_id = '${conversationId}' and user_id = '${userId}'`);
    },

    /** What a device hears from now on, as it comes. */
    async listen(actor: Actor, { live }: Pick<Services, "live"> = node) {
      const heard: LiveEvent[] = [];
      const feed = await live.follow(actor, {});
      const following = feed[followFeed]({
        entry({ event }) {
          heard.push(event);
          return true;
        },
        end() {},
      });
      const stop = () => following.stop();
      return {
        heard,
        stop,
        /** Everything that was heard, once it is this. */
        async until(...types: LiveEvent["type"][]) {
          await expect.poll(() => heard.map(({ type }) => type)).toEqual(types);
          stop();
          return heard;
        },
      };
    },

    /** Another node on the same database. Nothing repeats by itself: `round` does it. */
    another() {
      const other = testServices({ database });
      other.background.stop();
      return other;
    },

    /** For this node, and for leases in the database, which has a clock of its own. */
    async pass({ seconds }: { seconds: number }) {
      node.clock.advance({ seconds });
      await database.execute(`update presences set until = until - interval '${seconds} seconds'`);
    },
  };
}

/** Reads a feed to its end, or until it has had enough. */
export async function collect(feed: AsyncIterable<FeedEntry<RunEvent>>, until = (_: RunEvent) => false) {
  const entries: FeedEntry<RunEvent>[] = [];
  for await (const entry of feed) {
    entries.push(entry);
    if (until(entry.event)) break;
  }
  return entries;
}

export const isText = ({ type }: RunEvent) => type === "text-delta";

/** The text as a follower keeps it, who held some of it before. Pieces that do not fit together are an error. */
export function assemble(entries: FeedEntry<RunEvent>[], held = ""): string {
  let text = held;
  for (const { event } of entries) {
    if (event.type === "failover") text = text.slice(0, event.keepThrough);
    else if (event.type === "run-end") text = text.slice(0, event.length);
    else if (event.type === "text-delta") {
      if (event.offset !== text.length) throw new Error(`A piece for ${event.offset} came at ${text.length}`);
      text += event.text;
    }
  }
  return text;
}
