import type { RunEvent, RunStatus } from "@parley/contract/events";

export interface HeldState {
  lastEventId: string | null;
  text: string;
  reasoning: string;
  failovers: number;
  hasStarted: boolean;
  end: Extract<RunEvent, { type: "run-end" }> | null;
}

export const nothingHeld: HeldState = {
  lastEventId: null,
  text: "",
  reasoning: "",
  failovers: 0,
  hasStarted: false,
  end: null,
};

/** What a follower holds once this event has come. Whatever does not fit to what it had is a violation. */
export function hold(state: HeldState, lastEventId: string, event: RunEvent, complain: (what: string) => void): HeldState {
  const next = { ...state, lastEventId };
  if (state.end) complain(`${event.type} came after run-end`);
  if (!state.hasStarted && event.type !== "run-start") complain(`${event.type} came before run-start`);
  switch (event.type) {
    case "run-start":
      if (state.hasStarted) complain("run-start came again");
      return { ...next, hasStarted: true };
    case "text-delta":
      checkDelta(state.text, event, complain);
      return { ...next, text: state.text + event.text };
    case "reasoning-delta":
      checkDelta(state.reasoning, event, complain);
      return { ...next, reasoning: state.reasoning + event.text };
    case "failover":
      if (event.keepThrough > state.text.length) complain(`failover keeps ${event.keepThrough} of ${state.text.length}`);
      return { ...next, text: state.text.slice(0, event.keepThrough), reasoning: "", failovers: state.failovers + 1 };
    case "run-end":
      if (event.length > state.text.length) complain(`run-end says ${event.length}, and ${state.text.length} have come`);
      return { ...next, text: state.text.slice(0, event.length), end: event };
    case "tool-call":
    case "tool-result":
      complain(`${event.type} came, and no tool was offered`);
      return next;
  }
}

function checkDelta(
  held: string,
  { type, offset, text }: Extract<RunEvent, { offset: number }>,
  complain: (what: string) => void,
) {
  if (offset !== held.length) complain(`${type} at ${offset}, where ${held.length} are held`);
  if (text === "") complain(`${type} without a character`);
  if (!text.isWellFormed()) complain(`${type} at ${offset} splits a surrogate pair`);
}

export const messageStatus: Record<RunStatus, string> = {
  completed: "complete",
  stopped: "stopped",
  interrupted: "interrupted",
  failed: "failed",
};
