import type { RunEvent } from "@parley/contract/events";
import { Connection, type Patience, type Way } from "./connection.ts";
import { type HeldState, hold, nothingHeld } from "./held.ts";

interface Followed {
  name: string;
  runId: string;
  token: string;
  forbidden: readonly string[];
  complain: (what: string) => void;
}

export type Follower = Awaited<ReturnType<typeof openFollower>>;

/** One reader of one run, through all of its connections. */
export async function openFollower({ name, runId, token, forbidden, complain: tell }: Followed) {
  const complain = (what: string) => tell(`${name}: ${what}`);
  let state: HeldState = nothingHeld;
  const earlier: HeldState[] = [];
  const trail: string[] = [];
  const connection = await Connection.open({
    path: "chat.follow",
    token,
    forbidden,
    complain,
    event(id, data) {
      const event = data as RunEvent;
      trail.push(`${event.type} ${id}`);
      state = hold(state, id, event, complain);
      earlier.push(state);
    },
    finished() {
      if (!state.end) complain("was told that there is no more, and had no run-end");
    },
  });
  return {
    name,
    get state() {
      return state;
    },
    /** Where it has been, to begin again from there. */
    earlier,
    /** What has come, for a report. */
    trail,
    get isConnected() {
      return connection.isOpen;
    },
    connect(way: Way, from: HeldState = state) {
      state = from;
      const { lastEventId } = state;
      trail.push(`[${way.by} to ${way.node.name} after ${lastEventId}]`);
      connection.connect(way, { runId, ...(lastEventId !== null && { lastEventId }) });
    },
    /** Until its connection is over. */
    over: (patience: Patience) => connection.until(() => !connection.isOpen, patience),
    drop: () => connection.drop(),
    stall: () => connection.stall(),
    flow: () => connection.flow(),
    close: () => connection.close(),
  };
}
