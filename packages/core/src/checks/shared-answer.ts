import type { Clock } from "../ports.ts";

const freshMs = 1_000;

/** However many ask: the question is put once at a time, and its answer is good for a second. */
export function sharedAnswer<Answer>(clock: Clock, ask: () => Promise<Answer>): () => Promise<Answer> {
  let latest: { answer: Promise<Answer>; answeredAt: number | null } | undefined;

  return function answer() {
    const now = clock.now().getTime();
    const isFresh = latest && (latest.answeredAt === null || Math.abs(now - latest.answeredAt) < freshMs);
    if (latest && isFresh) return latest.answer;
    const mine = { answer: ask(), answeredAt: null as number | null };
    const note = () => {
      mine.answeredAt = clock.now().getTime();
    };
    mine.answer.then(note, note);
    latest = mine;
    return mine.answer;
  };
}

const patienceMs = 10_000;

/** A service that hangs is not asked again and again: whoever asks meanwhile waits for the same answer, up to a point. */
export function oneAtATime<Answer>(clock: Clock, ask: () => Promise<Answer>): () => Promise<Answer> {
  let underWay: { answer: Promise<Answer>; since: number } | undefined;

  return function answer() {
    const now = clock.now().getTime();
    if (underWay && now - underWay.since < patienceMs) return underWay.answer;
    const mine = { answer: ask(), since: now };
    const done = () => {
      if (underWay === mine) underWay = undefined;
    };
    mine.answer.then(done, done);
    underWay = mine;
    return mine.answer;
  };
}
