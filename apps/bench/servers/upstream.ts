// The vendor: the upstream of our tests in a process of its own, which says over IPC what suites/turns.mjs tells it to.
import { startUpstream } from "../../../packages/testing/src/upstream/server.ts";
import { stamp } from "../lib/clock.mjs";

const upstream = startUpstream({ keepsCalls: false });

process.on("message", async (deltas: { perSecond: number; tokens: number; characters: number }) => {
  const { otherwise, url } = await upstream;
  otherwise({ steps: [{ ping: true }, { stream: { ...deltas, stamp } }], usage: { input: 25, output: deltas.tokens } });
  process.send?.({ url });
});
process.on("disconnect", () => process.exit(0));
