import { type Clock, type EventLog, hasOneWriter, type Log } from "@parley/core/ports";
import { within } from "../within.ts";
import { decodeEvent, encodeEvent } from "./log-codec.ts";
import { type LogStore, unknownPosition } from "./log-store.ts";
import { memoryEventLog } from "./memory-event-log.ts";
import { createMirrorSet } from "./mirror-set.ts";
import { createNodeMessages } from "./node-messages.ts";
import { createOutbox } from "./outbox.ts";
import { createPlacements } from "./placements.ts";
import { readTogether } from "./read-together.ts";

export interface SharedEventLog extends EventLog {
  sweep(): Promise<void>;
  /** Ends its readers, and gives what was appended a moment to be written. */
  close(): Promise<void>;
}

interface Options {
  clock: Clock;
  log: Log;
  /** How long a reader waits for a writer on another node to answer. */
  patienceMs?: number;
}

const lookMs = 1_000;
/** With its bell at work, a topic that the store numbers is looked at only now and then. */
const looksBetween = 5;
const sweepMs = 60_000;
const closeMs = 1_000;

const isNumberedByStore = (topic: string) => !hasOneWriter(topic);

/**
 * Several processes share a store. What a process writes it serves from its memory first: the store gets a run only
 * while somebody elsewhere follows it, and no reader here notices when the store is away.
 */
export function sharedEventLog(store: LogStore, { clock, log, patienceMs = 500 }: Options): SharedEventLog {
  const node = crypto.randomUUID();
  const memory = memoryEventLog(clock);
  const messages = createNodeMessages(node, log);
  const placements = createPlacements(memory);
  const mirrors = createMirrorSet({
    log,
    isNumberedByStore,
    handedOf: (topic) => outbox.handedOf(topic),
    noteRead: (topic, entries) => outbox.noteRead(topic, entries),
    patienceMs,
    read: readTogether(store),
    findHead,
    isAway: () => outbox.isAway(),
    want(topic) {
      messages.want(topic);
      outbox.wake();
    },
  });
  const outbox = createOutbox({
    store,
    log,
    node,
    messages,
    placements,
    onNumbered: mirrors.numbered,
    onLate: mirrors.handEarly,
    onLost: mirrors.forgetEarly,
  });
  let isClosed = false;
  let looks = 0;
  let saidBefore = 0;
  let sweptAt = clock.now().getTime();
  let forgotten: string[] = [];

  async function findHead(topic: string): Promise<number | null> {
    try {
      if (!outbox.isAway()) return await store.head(topic);
    } catch (error) {
      log.debug({ err: error, topic }, "the head of a topic could not be read");
    }
    return null;
  }

  function look() {
    const isDeaf = messages.heard() < saidBefore;
    const isTime = looks++ % looksBetween === 0;
    if (placements.look()) outbox.wake();
    mirrors.look(isDeaf || isTime);
    // An empty message of one's own, once it comes back, says that the bell works.
    if (isTime && !mirrors.isEmpty()) messages.greet();
    outbox.wake();
    saidBefore = messages.said();
  }
  const timer = setInterval(look, lookMs);

  store.listen({
    onReady: () => mirrors.look(true),
    onMessage(text) {
      const message = messages.parse(text);
      if (!message || isClosed) return;
      for (const topic of message.rung) mirrors.ring(topic);
      for (const written of message.written) mirrors.hear(written);
      for (const [topic, event] of message.passing) {
        if (memory.has(topic)) memory.broadcast(topic, decodeEvent(event));
        else mirrors.passText(topic, event);
      }
      for (const topic of message.wanted) if (placements.want(topic)) outbox.wake();
    },
  });

  return {
    append(topic, event, at) {
      if (isClosed) return;
      if (!at) return outbox.append(topic, event);
      memory.append(topic, event, at);
      if (placements.isWanted(topic)) outbox.wake();
    },
    broadcast(topic, event) {
      if (isClosed) return;
      memory.broadcast(topic, event);
      mirrors.pass(topic, event);
      messages.pass(topic, encodeEvent(event));
      outbox.wake();
    },
    follow(topic, after, sink) {
      if (isClosed || memory.has(topic)) return memory.follow(topic, after, sink);
      return mirrors.follow(topic, after, sink);
    },
    async head(topic) {
      if (memory.has(topic)) return memory.head(topic);
      await outbox.settled(topic);
      return (await findHead(topic)) ?? mirrors.headOf(topic) ?? unknownPosition;
    },
    async ping() {
      await store.read([{ topic: "ping", after: 0 }]);
    },
    finish(topic) {
      memory.finish(topic);
      if (placements.isWanted(topic)) {
        placements.want(topic);
        outbox.wake();
      }
    },
    async sweep() {
      memory.sweep();
      forgotten.push(...placements.takeForgotten());
      const now = clock.now().getTime();
      if (now - sweptAt < sweepMs || outbox.isAway()) return;
      sweptAt = now;
      const topics = forgotten;
      forgotten = [];
      try {
        await store.sweep(topics);
      } catch (error) {
        log.debug({ err: error }, "the store of events could not be swept");
      }
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      clearInterval(timer);
      memory.close();
      mirrors.close();
      await within(closeMs, outbox.close());
      await within(
        closeMs,
        store.close().catch(() => {}),
      );
    },
  };
}
