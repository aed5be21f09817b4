// From process start to the first answer with data there; memory when nothing happens; the first start's peak.
import http from "node:http";
import { cpuSeconds, freePort, launch, peakMB, rssMB, sleep } from "../lib/proc.mjs";
import { failures, medianOf, progress, promise, ratioTo, table, times } from "../lib/stats.mjs";

const settleMs = 4000;
const giveUpMs = 30_000;
/** Each start is held against the bare opening of its database. */
const limits = { "parley-pglite": "pglite", parley: "postgres" };

function answers(port, path) {
  return new Promise((resolve) => {
    const request = http.get({ port, host: "127.0.0.1", path, agent: false }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode === 200));
    });
    request.on("error", () => resolve(false));
  });
}

async function startOnce(name, target, context) {
  const port = await freePort();
  context.port = port;
  context.url = `http://127.0.0.1:${port}`;
  const spec = { ...(await target.start(context)), hook: false };
  const startedAt = performance.now();
  const running = await launch(spec, { port, name, wait: false });
  while (!(await answers(port, target.ready))) {
    if (running.dead || performance.now() - startedAt > giveUpMs) {
      await running.stop();
      throw new Error(`${name} was never ready\n${running.log}`);
    }
    await sleep(4);
  }
  return { running, seconds: (performance.now() - startedAt) / 1000, cpuMs: cpuSeconds(running.pid) * 1000 };
}

export async function run({ names, all, rounds }) {
  const got = [];
  const errors = {};
  for (let round = 0; round < rounds; round++) {
    got.push({});
    for (const name of names) {
      if (errors[name]) continue;
      const target = all[name];
      const context = {};
      let running;
      try {
        const first = await startOnce(name, target, context);
        running = first.running;
        await target.fill?.(context);
        await sleep(settleMs / 2);
        const peak = peakMB(running.pid);
        await running.stop();
        const second = await startOnce(name, target, context);
        running = second.running;
        await sleep(settleMs);
        const result = { seconds: second.seconds, cpuMs: second.cpuMs, idle: rssMB(running.pid) };
        got[round][name] = { ...result, first: first.seconds, peak, secondPeak: peakMB(running.pid) };
      } catch (error) {
        errors[name] = error.message;
      } finally {
        await running?.stop();
      }
      progress(`start: round ${round + 1} of ${rounds}, ${name}`);
    }
  }
  const measured = names.filter((name) => got.some((each) => each[name]));
  const rows = measured.map((name) => {
    const of = (key) => medianOf(got, name, key);
    const { seconds, idle, peak } = all[name].promise ?? {};
    const kept = (key, most, unit) => promise(of(key), { most, unit });
    const ratio = limits[name] && measured.includes(limits[name]) ? times(ratioTo(got, name, limits[name], "seconds")) : "";
    return [
      name,
      of("seconds"),
      kept("seconds", seconds, " s"),
      ratio,
      of("cpuMs"),
      of("idle"),
      kept("idle", idle, " MB"),
      of("first"),
      of("peak"),
      kept("peak", peak, " MB"),
    ];
  });
  const head = [
    "target",
    "start s",
    "promise",
    "÷ its database",
    "CPU ms",
    "idle MB",
    "promise",
    "first start s",
    "its peak MB",
    "promise",
  ];
  return {
    data: { got, errors },
    markdown: `### Process start to the first answer, with data there

(pglite and postgres: a process that opens the database and a port, and nothing else. Idle: resident memory ${settleMs / 1000} s
later, nothing collected by force. The first start has an empty folder or database, one account and one turn.)

${table(head, rows)}${failures(errors)}`,
  };
}
