// `npm run edge:start`: how long the worker takes to its first answers, beside one that only answers. With TEST_DATABASE_URL.
import { openTestDatabase } from "@parley/testing";
import { Log, LogLevel, Miniflare } from "miniflare";
import { compatibility } from "./deployment.ts";
import { startLocalWorker } from "./local-worker.ts";

const rounds = Number(process.argv[2] ?? 11);
const variables = { JWT_SECRET: "for-measuring-only-0123456789-0123456789", OLLAMA_URL: "off", LOG_LEVEL: "error" };
const answersOnly = `export default { fetch: () => new Response("ok") };`;

interface Started extends AsyncDisposable {
  url: string;
}

async function trivial(): Promise<Started> {
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    log: new Log(LogLevel.ERROR),
    modules: [{ type: "ESModule", path: "worker.mjs", contents: answersOnly }],
    ...compatibility,
  });
  const url = (await miniflare.ready).origin;
  return { url, [Symbol.asyncDispose]: () => miniflare.dispose() };
}

/** Milliseconds from before it is started to the answer, and to the answer of what is asked next. */
async function timed(start: () => Promise<Started>, paths: readonly string[]): Promise<number[]> {
  const startedAt = performance.now();
  await using worker = await start();
  const times = [performance.now() - startedAt];
  for (const path of paths) {
    const response = await fetch(`${worker.url}${path}`);
    await response.text();
    if (!response.ok) throw new Error(`${path} is answered with ${response.status}`);
    times.push(performance.now() - startedAt);
  }
  return times;
}

function median(numbers: number[]): number {
  return numbers.toSorted((first, second) => first - second)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

await using database = await openTestDatabase("postgres");
const parley = () => startLocalWorker({ databaseUrl: database.url ?? "", variables });
const measured = { trivial: [] as number[][], parley: [] as number[][] };
// What the first round loads is not what is measured.
for (let round = -1; round < rounds; round++) {
  const trivialTimes = await timed(trivial, ["/live"]);
  const parleyTimes = await timed(parley, ["/live", "/ready", "/live"]);
  if (round < 0) continue;
  measured.trivial.push(trivialTimes);
  measured.parley.push(parleyTimes);
}
for (const [name, times] of Object.entries(measured)) {
  const columns = (times[0] ?? []).map((_, column) => median(times.map((each) => each[column] ?? Number.NaN)).toFixed(0));
  const least = Math.min(...times.map((each) => each[1] ?? Number.NaN)).toFixed(0);
  console.log(`${name.padEnd(8)} ready, then answers after: ${columns.join(", ")} ms (medians of ${rounds}; least ${least})`);
}
