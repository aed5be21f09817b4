// One answer to many sockets: CPU a delivery. The next message goes out when all have the last.
import { bringUp, tellable } from "../lib/bring-up.mjs";
import { cpuSeconds, worker } from "../lib/proc.mjs";
import { failures, medianOf, progress, promise, ratioTo, table, times } from "../lib/stats.mjs";

export async function run({ row, names, all, seconds, rounds, levels, profile }) {
  const sockets = levels?.[0] ?? 1000;
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
        load = await worker("load/socket-load.mjs");
        await load.call({ cmd: "connect", row, target: name, context: tellable(contexts[name]), sockets });
        await load.call({ cmd: "broadcast", seconds: 1.5 }); // warm
        const before = cpuSeconds(server.pid);
        const { delivered, perSecond, last } = await load.call({ cmd: "broadcast", seconds });
        const cpu = ((cpuSeconds(server.pid) - before) / delivered) * 1e6;
        got[round][name] = { perSecond, cpu, p50: last.p50ms, p99: last.p99ms };
        if (profile === name && round === rounds - 1) await server.profiled(() => load.call({ cmd: "broadcast", seconds }));
        await load.call({ cmd: "quit" });
      } catch (error) {
        errors[name] = error.message;
      } finally {
        await load?.stop();
        await server?.stop();
      }
      progress(`fanout: round ${round + 1} of ${rounds}, ${name}`);
    }
  }
  const measured = names.filter((name) => got.some((round) => round[name]));
  const reference = measured.includes("ws") ? "ws" : measured[0];
  const rows = measured.map((name) => {
    const ratio = ratioTo(got, name, reference, "cpu");
    const limit = all[name].promise?.cpu;
    const of = (key) => medianOf(got, name, key);
    return [name, of("cpu"), times(ratio), promise(ratio, { ...limit, unit: "×" }), of("perSecond"), of("p50"), of("p99")];
  });
  const head = ["target", "CPU µs/delivery", `÷ ${reference}`, "promise", "deliveries/s", "last socket p50 ms", "p99 ms"];
  return {
    data: { got, errors },
    markdown: `### One answer to ${sockets} sockets

(Ours: all follow one run of one person, and the provider emits when the bench says so.)

${table(head, rows)}${failures(errors)}`,
  };
}
