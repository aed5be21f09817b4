// The path of a token in one process: CPU and what is allocated, from the vendor's bytes to the frame for a socket.
import { sleep, worker } from "../lib/proc.mjs";
import { upstreamScript } from "../lib/product.mjs";
import { failures, medianOf, progress, ratioTo, table, times } from "../lib/stats.mjs";

const perSecond = 100;
const characters = 20;
const settleMs = 1500;
/** So that nothing is collected while it is counted. */
const spacious = ["--expose-gc", "--min-semi-space-size=512", "--max-semi-space-size=512"];
const mostCountedMs = 3000;

async function measure({ target, context, streams, nodeArgs, milliseconds }) {
  const path = await worker("servers/token.ts", await target.start(nodeArgs)(context));
  try {
    await path.call({ streams });
    await sleep(settleMs);
    const { frames, tokens, cpu, allocated } = await path.call({ milliseconds, characters });
    return { cpu: cpu / tokens, allocated: allocated / tokens, frames: frames / tokens, perSecond: (tokens / milliseconds) * 1000 };
  } finally {
    await path.stop();
  }
}

export async function run({ row, names, all, seconds, rounds, levels }) {
  const streams = levels?.[0] ?? 40;
  const upstream = await worker(upstreamScript);
  const contexts = Object.fromEntries(names.map((name) => [name, {}]));
  const got = [];
  const errors = {};
  for (let round = 0; round < rounds; round++) {
    got.push({});
    for (const name of names) {
      if (errors[name]) continue;
      try {
        const { url } = await upstream.call({ perSecond, characters });
        const one = { target: all[name], context: Object.assign(contexts[name], { upstream: url }), streams };
        const timed = await measure({ ...one, nodeArgs: [], milliseconds: seconds * 1000 });
        await upstream.call({ perSecond, characters });
        const counted = await measure({ ...one, nodeArgs: spacious, milliseconds: Math.min(mostCountedMs, seconds * 1000) });
        got[round][name] = { ...timed, allocated: counted.allocated };
      } catch (error) {
        errors[name] = error.message;
      }
      progress(`${row}: round ${round + 1} of ${rounds}, ${name}`);
    }
  }
  await upstream.stop();
  const measured = names.filter((name) => got.some((round) => round[name]));
  const reference = measured.includes("read") ? "read" : measured[0];
  const rows = measured.map((name) => {
    const of = (key) => medianOf(got, name, key);
    return [name, of("cpu"), times(ratioTo(got, name, reference, "cpu")), of("allocated"), of("frames"), of("perSecond")];
  });
  const head = ["target", "CPU µs/token", `÷ ${reference}`, "bytes allocated/token", "frames/token", "tokens/s"];
  return {
    data: { got, errors },
    markdown: `### ${streams} answers of ${perSecond} tokens/s\n\n${table(head, rows)}${failures(errors)}`,
  };
}
