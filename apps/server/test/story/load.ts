import type { Parley } from "@parley/client";

export interface Tally {
  calls: number;
  failures: Map<string, number>;
  answers: Map<string, number>;
}

/** Somebody who asks all the time, and counts how it went. */
export function startLoad(parley: Parley): { tally: Tally; stop(): Promise<void> } {
  const tally: Tally = { calls: 0, failures: new Map(), answers: new Map() };
  let isOver = false;

  async function call<Result>(work: () => Promise<Result>): Promise<Result | null> {
    tally.calls++;
    try {
      return await work();
    } catch (error) {
      const reason = reasonOf(error);
      tally.failures.set(reason, (tally.failures.get(reason) ?? 0) + 1);
      return null;
    }
  }

  async function look() {
    while (!isOver) {
      await call(() => parley.api.user.profile.query());
      await pause(40);
    }
  }

  async function ask() {
    for (let turn = 0; !isOver; turn++) {
      const sent = await call(() => parley.api.chat.send.mutate({ clientMessageId: `story-${turn}`, content: "Go on" }));
      const runId = sent?.answer?.runId;
      if (runId) {
        const end = await endOf(parley, runId).catch(() => "unknown");
        tally.answers.set(end, (tally.answers.get(end) ?? 0) + 1);
      }
      await pause(250);
    }
  }

  const work = [look(), look(), ask()];
  return {
    tally,
    async stop() {
      isOver = true;
      await Promise.all(work);
    },
  };
}

async function endOf(parley: Parley, runId: string): Promise<string> {
  for await (const event of parley.chat.follow(runId)) if (event.type === "run-end") return event.status;
  return "unknown";
}

function reasonOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("data" in error)) return "no answer";
  const { data } = error;
  return typeof data === "object" && data !== null && "reason" in data ? String(data.reason) : "no answer";
}

export const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
