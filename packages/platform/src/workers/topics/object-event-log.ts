import { type EventLog, hasOneWriter, type Log } from "@parley/core/ports";
import { encodeEvent } from "../../shared/event-log/log-codec.ts";
import type { Remote } from "../runtime/types.ts";
import { createOutbox } from "./topic-outbox.ts";
import type { TopicMethods, TopicPosition } from "./topic-protocol.ts";
import { createTail, type TopicTail } from "./topic-tail.ts";

interface Options {
  /** From when on a new reader hears what passes. */
  since?(): number;
  /** A new one each time: a stub breaks with its object. */
  stub(topic: string): Remote<TopicMethods>;
  log: Log;
  hold?(work: Promise<void>): void;
}

export interface TopicPlace extends TopicPosition {
  topic: string;
}

export interface ObjectEventLog extends EventLog {
  /** Everything that was appended has arrived. */
  settled(): Promise<void>;
  /** Where those who follow topics stand, as far as they have been read. */
  places(): TopicPlace[];
  close(): void;
}

/** The log of events in Durable Objects, one a topic. */
export function objectEventLog({ since = Date.now, stub, log, hold = () => {} }: Options): ObjectEventLog {
  const writer = crypto.randomUUID();
  const outbox = createOutbox({ stub, log, hold });
  const tails = new Map<string, Set<TopicTail>>();
  let count = 0;
  const nextId = () => `${writer}:${++count}`;

  /** Whether it was said here, and before: how far a clock has gone does not tell. */
  function saidUntil(moment: number) {
    return (id: string) => id.startsWith(writer) && Number(id.slice(writer.length + 1)) <= moment;
  }

  function open(topic: string, after: number): TopicTail {
    const those = tails.get(topic) ?? new Set();
    const tail: TopicTail = createTail(after, {
      since: since(),
      stub: () => stub(topic),
      hasOneWriter: hasOneWriter(topic),
      wasSaidBefore: saidUntil(count),
      onEnd() {
        those.delete(tail);
        if (those.size === 0) tails.delete(topic);
      },
    });
    tails.set(topic, those.add(tail));
    return tail;
  }

  return {
    append(topic, event, at) {
      outbox.append(topic, { seq: at?.seq ?? null, id: at?.id ?? nextId(), event: encodeEvent(event) });
    },
    broadcast(topic, event) {
      const id = nextId();
      for (const tail of tails.get(topic) ?? []) tail.pass(id, event);
      outbox.pass(topic, { id, at: Date.now(), event: encodeEvent(event) });
    },
    follow(topic, after, sink) {
      const known = Array.from(tails.get(topic) ?? []).find((tail) => tail.covers(after));
      return (known ?? open(topic, after)).follow(after, sink);
    },
    async head(topic) {
      await outbox.settled(topic);
      return stub(topic).head();
    },
    finish: (topic) => outbox.finish(topic),
    async ping() {
      await stub("ping").head();
    },
    settled: () => outbox.allSettled(),
    places: () => Array.from(tails, ([topic, those]) => Array.from(those, (tail) => ({ topic, ...tail.place() }))).flat(),
    close() {
      for (const those of tails.values()) for (const tail of those) tail.close();
    },
  };
}
