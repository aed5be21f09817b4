// The vendor: the upstream of our tests in a process of its own, which says over IPC what suites/turns.mjs tells it to.
import { startUpstream } from "../../../packages/testing/src/upstream/server.ts";
import { stamp } from "../lib/clock.mjs";

const upstream = startUpstream({ keepsCalls: false });

/** Without `tokens`, an answer is endless. */
process.on("message", async ({ perSecond, tokens, characters }: { perSecond: number; tokens?: number; characters: number }) => {
  const { otherwise, url } = await upstream;
  const stream = { perSecond, characters, stamp, ...(tokens !== undefined && { tokens }) };
  otherwise({ steps: [{ ping: true }, { stream }], usage: { input: 25, output: tokens ?? 1 } });
  process.send?.({ url });
});
process.on("disconnect", () => process.exit(0));
