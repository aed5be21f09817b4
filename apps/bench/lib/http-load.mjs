// Closed-loop HTTP load on one keep-alive URL: wrk (C, apt-get install wrk) where there is one, else autocannon.
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { cpuSeconds, temporaryFolder } from "./proc.mjs";

const hasWrk = spawnSync("wrk", ["-v"]).error === undefined;
export const TOOL = hasWrk ? "wrk" : "autocannon";

export async function check(url, { path: target, method, headers, body }, expected) {
  const response = await fetch(url + target, { method, headers, body });
  const text = await response.text();
  if (!response.ok || (expected && !text.includes(expected))) {
    throw new Error(`${url}${target}: ${response.status} ${text.slice(0, 200)}`);
  }
}

/** -> { perSecond, p50, p99, cpuUs (of `pid`, a request), errors } */
export async function httpLoad({ url, request, seconds, connections = 50, pid }) {
  const before = cpuSeconds(pid);
  const startedAt = performance.now();
  const result = await (hasWrk ? wrk : autocannon)({ url, request, seconds, connections });
  const cpu = cpuSeconds(pid) - before;
  const elapsed = (performance.now() - startedAt) / 1000;
  return { ...result, cpuUs: (cpu / result.requests) * 1e6, cores: cpu / elapsed };
}

let folder;
let scripts = 0;

function wrk({ url, request, seconds, connections }) {
  folder ??= temporaryFolder("wrk");
  const script = path.join(folder, `${scripts++}.lua`);
  const headers = Object.entries(request.headers ?? {});
  const lines = [
    `wrk.method = ${JSON.stringify(request.method ?? "GET")}`,
    ...(request.body ? [`wrk.body = [==[${request.body}]==]`] : []),
    ...headers.map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = [==[${value}]==]`),
  ];
  writeFileSync(script, `${lines.join("\n")}\n`);
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "--latency", "-s", script, url + request.path];
  return new Promise((resolve, reject) => {
    const child = spawn("wrk", args);
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
    });
    child.stderr.on("data", (data) => {
      output += data;
    });
    child.on("close", () => {
      const requests = Number(/(\d+) requests in/.exec(output)?.[1]);
      if (!requests) return reject(new Error(`wrk: ${output}`));
      resolve({
        requests,
        perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]),
        p50: milliseconds(/50%\s+(\S+)/.exec(output)[1]),
        p99: milliseconds(/99%\s+(\S+)/.exec(output)[1]),
        errors: Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0),
      });
    });
  });
}

function milliseconds(text) {
  const [, value, unit] = /([\d.]+)(us|ms|s|m)/.exec(text) ?? [];
  return value * { us: 1e-3, ms: 1, s: 1000, m: 60_000 }[unit];
}

async function autocannon({ url, request, seconds, connections }) {
  const { default: run } = await import("autocannon");
  const { path: target, method = "GET", headers, body } = request;
  const result = await run({ url: url + target, method, headers, body, duration: seconds, connections });
  return {
    requests: result["2xx"] + result.non2xx,
    perSecond: result.requests.average,
    p50: result.latency.p50,
    p99: result.latency.p99,
    errors: result.non2xx + result.errors,
  };
}
