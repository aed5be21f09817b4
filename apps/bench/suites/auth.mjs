// Sign-ins a second, eight at a time, against the password hash alone, two at a time.
import { spawn } from "node:child_process";
import { bringUp } from "../lib/bring-up.mjs";
import { check, httpLoad, TOOL } from "../lib/http-load.mjs";
import { ROOT, rssMB } from "../lib/proc.mjs";
import { failures, medianOf, progress, promise, ratioTo, table, times } from "../lib/stats.mjs";

const reference = "argon2 alone";

function hashAlone(seconds) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["load/hash-run.mjs", "2", String(seconds)], { cwd: ROOT });
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
    });
    child.on("close", (code) => (code === 0 ? resolve(JSON.parse(output)) : reject(new Error("the hash alone failed"))));
  });
}

export async function run({ row, names, all, seconds, rounds, profile }) {
  const servers = {};
  const contexts = {};
  const errors = {};
  const got = [];
  for (const name of names) {
    try {
      const context = {};
      contexts[name] = context;
      servers[name] = await bringUp(name, all[name], context, { row, profile });
      const request = all[name].signIn(context);
      await check(servers[name].url, request);
      await httpLoad({ url: servers[name].url, request, seconds: 1, connections: 8, pid: servers[name].pid });
    } catch (error) {
      errors[name] = `${error.message}\n${servers[name]?.log ?? ""}`;
    }
  }
  const measured = names.filter((name) => !errors[name]);
  for (let round = 0; round < rounds; round++) {
    got.push({ [reference]: await hashAlone(seconds) });
    for (const name of measured) {
      const { url, pid } = servers[name];
      const request = all[name].signIn(contexts[name]);
      const result = await httpLoad({ url, request, seconds, connections: 8, pid });
      got[round][name] = { ...result, cpuMs: result.cpuUs / 1000, rss: rssMB(pid) };
      progress(`auth: round ${round + 1} of ${rounds}, ${name}`);
    }
  }
  if (measured.includes(profile)) {
    const { url, pid, profiled } = servers[profile];
    await profiled(() => httpLoad({ url, request: all[profile].signIn(contexts[profile]), seconds, connections: 8, pid }));
  }
  for (const server of Object.values(servers)) await server.stop();
  const rows = [reference, ...measured].map((name) => {
    const of = (key) => medianOf(got, name, key);
    const ratio = ratioTo(got, name, reference, "perSecond");
    return [
      name,
      of("perSecond"),
      times(ratio),
      promise(ratio, all[name]?.promise),
      of("cpuMs"),
      of("p50"),
      of("rss"),
      of("errors"),
    ];
  });
  const head = ["target", "sign-ins/s", "÷ the hash alone", "promise", "CPU ms/sign-in", "p50 ms", "RSS MB", "errors"];
  return {
    data: { got, errors },
    markdown: `### Sign-ins

(${TOOL}, 8 connections; argon2id of 19 MiB, two passes; better-auth as it comes hashes with scrypt.)

${table(head, rows)}${failures(errors)}`,
  };
}
