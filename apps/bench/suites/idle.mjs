// What an idle socket keeps in memory, after garbage collection. The kernel's own buffers are not in RSS.
import { bringUp, tellable } from "../lib/bring-up.mjs";
import { collectGarbage, cpuSeconds, rssMB, sleep, worker } from "../lib/proc.mjs";
import { failures, medianOf, progress, promise, ratioTo, table, times } from "../lib/stats.mjs";

const idleMs = 2000;

export async function run({ row, names, all, rounds, levels, profile }) {
  const sockets = levels?.[0] ?? 4000;
  const got = [];
  const errors = {};
  const contexts = Object.fromEntries(names.map((name) => [name, {}]));
  for (let round = 0; round < rounds; round++) {
    got.push({});
    for (const name of names) {
      if (errors[name]) continue;
      let server;
      let load;
      try {
        server = await bringUp(name, all[name], contexts[name], { row, profile });
        if (all[name].prepare && round === 0) {
          // What signing up a thousand people left behind would hide what sockets take.
          await server.stop();
          server = await bringUp(name, all[name], contexts[name], { row, profile });
        }
        const connect = async (count) => {
          load = await worker("load/socket-load.mjs");
          await load.call({ cmd: "connect", row, target: name, context: tellable(contexts[name]), sockets: count });
        };
        // What is allocated at first use is not a socket's.
        await connect(100);
        await load.call({ cmd: "quit" });
        await load.stop();
        await sleep(200);
        await collectGarbage(server.pid);
        const before = rssMB(server.pid);
        await connect(sockets);
        await collectGarbage(server.pid);
        await collectGarbage(server.pid);
        const after = rssMB(server.pid);
        const cpuBefore = cpuSeconds(server.pid);
        await sleep(idleMs);
        const cores = (cpuSeconds(server.pid) - cpuBefore) / (idleMs / 1000);
        got[round][name] = { before, after, kilobytes: ((after - before) * 1024) / sockets, cores };
        await load.call({ cmd: "quit" });
      } catch (error) {
        errors[name] = error.message;
      } finally {
        await load?.stop();
        await server?.stop();
      }
      progress(`idle: round ${round + 1} of ${rounds}, ${name}`);
    }
  }
  const measured = names.filter((name) => got.some((round) => round[name]));
  const reference = measured.includes("ws") ? "ws" : measured[0];
  const rows = measured.map((name) => {
    const of = (key) => medianOf(got, name, key);
    const ratio = ratioTo(got, name, reference, "kilobytes");
    return [
      name,
      of("kilobytes"),
      promise(of("kilobytes"), all[name].promise),
      times(ratio),
      of("before"),
      of("after"),
      of("cores"),
    ];
  });
  const head = ["target", "KB/socket", "promise", `÷ ${reference}`, "RSS before MB", "RSS with MB", "idle CPU cores"];
  return {
    data: { got, errors },
    markdown: `### ${sockets} idle sockets

(Ours: signed in and with chat.live open, four sockets a person; peers: subscribed, without accounts.)

${table(head, rows)}${failures(errors)}`,
  };
}
