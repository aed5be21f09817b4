// One small query over HTTP: 50 keep-alive connections, closed loop. CPU a call.
import { bringUp } from "../lib/bring-up.mjs";
import { check, httpLoad, TOOL } from "../lib/http-load.mjs";
import { makeJwt } from "../lib/jwt.mjs";
import { rssMB } from "../lib/proc.mjs";
import { failures, medianOf, progress, promise, ratioTo, table, times } from "../lib/stats.mjs";

export async function run({ row, names, all, seconds, rounds, profile }) {
  const servers = {};
  const requests = {};
  const errors = {};
  const got = [];
  for (const name of names) {
    try {
      const context = { jwt: await makeJwt() };
      const server = await bringUp(name, all[name], context, { row, profile });
      servers[name] = server;
      const request = all[name].request(context);
      requests[name] = request;
      await check(server.url, request, all[name].expect);
      await httpLoad({ url: server.url, request, seconds: 2, pid: server.pid }); // warms the compiler
    } catch (error) {
      errors[name] = `${error.message}\n${servers[name]?.log ?? ""}`;
    }
  }
  const measured = names.filter((name) => !errors[name]);
  for (let round = 0; round < rounds; round++) {
    got.push({});
    for (const name of measured) {
      const { url, pid } = servers[name];
      const result = await httpLoad({ url, request: requests[name], seconds, pid });
      got[round][name] = { ...result, rss: rssMB(pid) };
      progress(`rpc: round ${round + 1} of ${rounds}, ${name}`);
    }
  }
  if (measured.includes(profile)) {
    const { url, pid, profiled } = servers[profile];
    await profiled(() => httpLoad({ url, request: requests[profile], seconds, pid }));
  }
  for (const server of Object.values(servers)) await server.stop();
  const reference = measured.includes("raw-http") ? "raw-http" : measured[0];
  const rows = measured.map((name) => {
    const of = (key) => medianOf(got, name, key);
    const ratio = ratioTo(got, name, reference, "cpuUs");
    const kept = promise(ratio, all[name].promise);
    return [name, of("cpuUs"), times(ratio), kept, of("perSecond"), of("p50"), of("p99"), of("rss"), of("errors")];
  });
  const head = ["target", "CPU µs/call", `÷ ${reference}`, "promise", "calls/s", "p50 ms", "p99 ms", "RSS MB", "errors"];
  return {
    data: { got, errors },
    markdown: `### One query over HTTP

(${TOOL}, 50 connections. Ours is auth.me with a bearer token; raw-http and hono-trpc say hello to anybody, hono-trpc-jwt verifies a token.)

${table(head, rows)}${failures(errors)}`,
  };
}
