import { setTimeout as pause } from "node:timers/promises";
import { createParley, isParleyError } from "@parley/client";
import { WebSocket } from "ws";
import { type HeldState, hold, nothingHeld } from "./held.ts";
import { openLine, type Target } from "./line.ts";
import type { Random } from "./random.ts";

interface Reading {
  name: string;
  runId: string;
  token: string;
  forbidden: readonly string[];
  /** Whoever serves now. */
  target: Target;
  random: Random;
  complain: (what: string) => void;
}

export type ClientReader = Awaited<ReturnType<typeof readWithClient>>;

const restMs = 100;

/** One who follows with the official client, over a line that breaks now and then, and changes the device now and then. */
export async function readWithClient({ name, runId, token, forbidden, target, random, complain: tell }: Reading) {
  const complain = (what: string) => tell(`${name}: ${what}`);
  const line = await openLine(target);
  const url = `http://127.0.0.1:${line.port}`;
  let breaks = random.below(6);
  line.cutAfter(() => (breaks-- > 0 ? random.between(100, 8_000) : null));
  let isLeaving = false;
  let state: HeldState = nothingHeld;
  const earlier: { at: number; state: HeldState }[] = [];

  async function readOnce(leaveAfter: number, within: number) {
    const transport = random.chance(0.5) ? "websocket" : "sse";
    const parley = createParley({ url, token, transport, WebSocket });
    const { lastEventId } = state;
    let events = 0;
    try {
      const options = { signal: AbortSignal.timeout(within), ...(lastEventId !== null && { lastEventId }) };
      for await (const event of parley.chat.follow(runId, options)) {
        if (forbidden.some((mark) => JSON.stringify(event).includes(mark))) complain("reads what is somebody else's");
        const { id, ...plain } = event;
        state = hold(state, id, plain, complain);
        earlier.push({ at: Date.now(), state });
        if (++events === leaveAfter) break;
      }
    } catch (error) {
      const reason = isParleyError(error) ? error.reason : null;
      if (reason !== null && reason !== "unavailable") complain(`was refused: ${reason}, ${String(error)}`);
    } finally {
      await parley.close();
    }
  }

  return {
    name,
    get state() {
      return state;
    },
    earlier,
    line,
    async untilEnd(milliseconds: number): Promise<boolean> {
      const until = Date.now() + milliseconds;
      while (!state.end && !isLeaving) {
        if (Date.now() > until) return false;
        await readOnce(random.chance(0.3) ? random.between(1, 20) : Number.POSITIVE_INFINITY, until - Date.now());
        if (!state.end) await pause(restMs);
      }
      return true;
    },
    /** As somebody who has had so much of it, or nothing. */
    beginFrom(from: HeldState) {
      state = from;
    },
    close() {
      isLeaving = true;
      line.close();
    },
  };
}
