// What it costs to count and tell of calls: a small query over HTTP with it and without, and how fast the series are read.
import { bringUp } from "../lib/bring-up.mjs";
import { check, httpLoad, TOOL } from "../lib/http-load.mjs";
import { failures, median, medianOf, progress, promise, table } from "../lib/stats.mjs";

const readings = 30;

export async function run({ row, names, all, seconds, rounds, profile }) {
  const servers = {};
  const contexts = {};
  const errors = {};
  const got = [];
  const reads = [];
  for (const name of names) {
    try {
      contexts[name] = {};
      servers[name] = await bringUp(name, all[name], contexts[name], { row, profile });
      const request = all[name].request(contexts[name]);
      await check(servers[name].url, request, all[name].expect);
      await httpLoad({ url: servers[name].url, request, seconds: 2, pid: servers[name].pid }); // warms the compiler
    } catch (error) {
      errors[name] = `${error.message}\n${servers[name]?.log ?? ""}`;
    }
  }
  const measured = names.filter((name) => !errors[name]);
  for (let round = 0; round < rounds; round++) {
    got.push({});
    // Whoever comes first in a round comes last in the next.
    for (const name of round % 2 ? measured.toReversed() : measured) {
      progress(`metrics: round ${round + 1} of ${rounds}, ${name}`);
      const { url, pid } = servers[name];
      got[round][name] = await httpLoad({ url, request: all[name].request(contexts[name]), seconds, pid });
    }
  }
  if (measured.includes(profile)) {
    const { url, pid, profiled } = servers[profile];
    await profiled(() => httpLoad({ url, request: all[profile].request(contexts[profile]), seconds, pid }));
  }
  for (const name of measured.filter((each) => all[each].fill)) {
    await all[name].fill(contexts[name]);
    for (const { what, path, promise: most } of all[name].reads) {
      progress(`metrics: ${what}`);
      const { headers } = all[name].request(contexts[name]);
      const taken = [];
      for (let count = 0; count < readings; count++) {
        const startedAt = performance.now();
        const response = await fetch(servers[name].url + path, { headers });
        const text = await response.text();
        if (response.status !== 200) throw new Error(`${what}: ${response.status} ${text.slice(0, 300)}`);
        taken.push(performance.now() - startedAt);
      }
      reads.push({ name, what, ms: median(taken), most });
    }
  }
  for (const server of Object.values(servers)) await server.stop();
  const [reference] = measured;
  const rows = measured.map((name) => {
    const of = (key) => medianOf(got, name, key);
    const apart = name === reference ? Number.NaN : median(got.map((round) => round[name].cpuUs - round[reference].cpuUs));
    return [name, of("cpuUs"), apart, promise(apart, all[name].promise), of("perSecond"), of("p99"), of("errors")];
  });
  const head = ["target", "CPU µs/call", `more than ${reference}`, "promise", "calls/s", "p99 ms", "errors"];
  const series = reads.map(({ name, what, ms, most }) => [name, what, ms, promise(ms, most)]);
  return {
    data: { got, reads, errors },
    markdown: `### What counting and telling of calls costs

(${TOOL}, 50 connections, model.list of somebody signed in.)

${table(head, rows)}

${table(["target", "a week of two nodes", "ms", "promise"], series)}${failures(errors)}`,
  };
}
