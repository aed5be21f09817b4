import type { Log } from "@parley/core/ports";
import type { Remote } from "../runtime/types.ts";
import type { AppendedEntry, Passing, TopicBatch, TopicMethods } from "./topic-protocol.ts";

interface Options {
  stub(topic: string): Remote<TopicMethods>;
  log: Log;
  /** Told of each delivery, so that the runtime waits for it. */
  hold(work: Promise<void>): void;
}

const retryMs = 200;
/** About half a minute. Who follows a run hears the rest of it from what is saved. */
const mostTries = 20;
const longestPauseMs = 2_000;
/** Of one call, in entries and in characters. */
const most = { entries: 10_000, length: 4 * 1_024 * 1_024 };

/** What was appended here on its way to the objects of its topics, in order; one call at a time to each of them. */
export function createOutbox({ stub, log, hold }: Options) {
  const queues = new Map<string, TopicBatch>();
  const deliveries = new Map<string, Promise<void>>();

  function change(topic: string, add: (batch: TopicBatch) => void) {
    const batch = queues.get(topic) ?? { entries: [], passing: [], isFinished: false };
    add(batch);
    queues.set(topic, batch);
    if (deliveries.has(topic)) return;
    const delivery = Promise.resolve()
      .then(() => deliver(topic))
      .finally(() => deliveries.delete(topic));
    deliveries.set(topic, delivery);
    hold(delivery);
  }

  async function deliver(topic: string) {
    for (let batch = take(topic); batch; batch = take(topic)) await hand(topic, batch);
  }

  function take(topic: string): TopicBatch | undefined {
    const batch = queues.get(topic);
    queues.delete(topic);
    if (!batch) return undefined;
    let length = 0;
    const cut = batch.entries.findIndex(({ event }, index) => {
      length += event.length;
      return index > 0 && (index >= most.entries || length > most.length);
    });
    if (cut === -1) return batch;
    queues.set(topic, { ...batch, entries: batch.entries.slice(cut) });
    return { entries: batch.entries.slice(0, cut), passing: [], isFinished: false };
  }

  async function hand(topic: string, batch: TopicBatch) {
    for (let tries = 1; ; tries++) {
      try {
        return await stub(topic).append(batch);
      } catch (error) {
        if (tries === mostTries) {
          log.warn({ err: error, topic }, "events could not be handed to their topic, and are lost");
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, Math.min(retryMs * tries, longestPauseMs)));
      }
    }
  }

  return {
    append: (topic: string, entry: AppendedEntry) => change(topic, ({ entries }) => entries.push(entry)),
    pass: (topic: string, event: Passing) => change(topic, ({ passing }) => passing.push(event)),
    finish: (topic: string) =>
      change(topic, (batch) => {
        batch.isFinished = true;
      }),
    /** What was appended so far has arrived. */
    settled: async (topic: string) => deliveries.get(topic),
    async allSettled() {
      while (deliveries.size > 0) await Promise.all(deliveries.values());
    },
  };
}
