import type { LogStore, Stretch } from "./log-store.ts";

interface Asked {
  topic: string;
  after: number;
  resolve(stretch: Stretch): void;
  reject(error: unknown): void;
}

const topicsAtOnce = 32;

/** Positions that are asked for in one turn of the loop make one read, or a few in turn. */
export function readTogether(store: LogStore) {
  let asked: Asked[] = [];

  async function readAll() {
    const taken = asked;
    asked = [];
    try {
      while (taken.length > 0) await readSome(taken);
    } catch (error) {
      // A store that has failed once is not asked for the rest.
      for (const { reject } of taken) reject(error);
    }
  }

  async function readSome(taken: Asked[]) {
    const some = taken.slice(0, topicsAtOnce);
    const stretches = await store.read(some.map(({ topic, after }) => ({ topic, after })));
    taken.splice(0, some.length);
    for (const [index, { resolve }] of some.entries()) resolve(stretches[index] ?? { head: null, entries: [], isCut: false });
  }

  return (topic: string, after: number) =>
    new Promise<Stretch>((resolve, reject) => {
      asked.push({ topic, after, resolve, reject });
      if (asked.length === 1) queueMicrotask(() => void readAll());
    });
}
