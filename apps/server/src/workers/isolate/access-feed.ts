import { type AccessChange, AppError } from "@parley/core";
import { named } from "@parley/platform/workers/runtime";
import type { Bindings } from "../bindings.ts";

interface Options {
  apply(change: AccessChange): void;
  /** Changes may have been missed. */
  lost(): void;
  signal: AbortSignal;
}

/** Which object tells of changes, and what it has told. */
export interface AccessPlace {
  name: string;
  after: number;
}

const objects = 4;
const waitMs = 10_000;
const retryMs = 500;
/** Whoever has not heard of changes for so long, a poll that waits and a little more, may not go on. */
const mostSilenceMs = waitMs + 4_000;

/** Hears of every change of rights from the time that this has resolved, until the signal. */
export async function followAccess({ ACCESS }: Pick<Bindings, "ACCESS">, { apply, lost, signal }: Options) {
  const name = `access-${Math.floor(Math.random() * objects)}`;
  const first = await named(ACCESS, name)
    .poll(null, 0)
    .catch((cause: unknown) => {
      throw new AppError("unavailable", "Nothing can be opened now: try again in a moment", { retryAfterMs: 2_000, cause });
    });
  let position = first.head;
  void listen();
  return { place: (): AccessPlace => ({ name, after: position }) };

  async function listen() {
    let heardAt = Date.now();
    while (!signal.aborted) {
      const answer = await named(ACCESS, name)
        .poll(position, waitMs)
        .catch(() => null);
      if (signal.aborted) return;
      if (answer?.isGap || (!answer && Date.now() - heardAt > mostSilenceMs)) return lost();
      if (!answer) {
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        continue;
      }
      heardAt = Date.now();
      position = answer.head;
      for (const change of answer.changes) apply(change);
    }
  }
}
