// The vendor: the upstream of our tests in a process of its own, which says over IPC what suites/turns.mjs tells it to.
import { startUpstream } from "../../../packages/testing/src/upstream/server.ts";
import { stamp } from "../lib/clock.mjs";

const upstream = startUpstream({ keepsCalls: false });

let said = {};

/** Ends what it was saying. Without `tokens`, it says something until the next message. */
process.on("message", async (deltas: { perSecond: number; tokens?: number; characters: number }) => {
  const { otherwise, url } = await upstream;
  Object.assign(said, { tokens: 0 });
  const stream = { ...deltas, stamp };
  said = stream;
  otherwise({ steps: [{ ping: true }, { stream }], usage: { input: 25, output: deltas.tokens ?? 1 } });
  process.send?.({ url });
});
process.on("disconnect", () => process.exit(0));
