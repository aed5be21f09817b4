import type { RunEvent } from "@parley/contract/events";
import { expect, test } from "vitest";
import { handOver } from "./handover.ts";
import { beginning } from "./positions.ts";

const run = {
  messageId: "message",
  conversationId: "conversation",
  provider: "demo",
  model: "demo",
  status: "running",
  seq: 11,
  text: "The first words",
  reasoning: "",
  finishReason: null,
  error: null,
  attempts: [],
  failovers: [],
  tools: [],
} as const;
const ahead = { ...beginning, seq: 14, text: 5, failovers: 1 };

function handedOver(saved: Parameters<typeof handOver>[1], from: typeof beginning) {
  const events: RunEvent[] = [];
  const position = handOver("run", saved, from, {
    entry({ event }) {
      events.push(event);
      return true;
    },
    end() {},
  });
  return { events, position };
}

test("a follower who has seen a failover that is not saved yet keeps what it has while the writer lives", () => {
  expect(handedOver({ ...run, attempts: [], failovers: [], tools: [] }, ahead)).toEqual({ events: [], position: ahead });
});

test("and drops it once the run has ended without that failover", () => {
  const { events } = handedOver({ ...run, status: "interrupted", seq: 1_000_011, attempts: [], failovers: [], tools: [] }, ahead);
  expect(events.map(({ type }) => type)).toEqual(["failover", "text-delta", "run-end"]);
});
