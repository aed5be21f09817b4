// turns: short answers one after the other; CPU a turn. stream: long answers; how many tokens arrive, and how late.
// For each round, each target in turn: connect, settle, measure a window.
import { bringUp, tellable } from "../lib/bring-up.mjs";
import { openServer } from "../lib/postgres.mjs";
import { cpuSeconds, rssMB, sleep, worker } from "../lib/proc.mjs";
import { upstreamScript } from "../lib/product.mjs";
import { failures, median, medianOf, progress, promise, ratioTo, table, times } from "../lib/stats.mjs";

const deltaSize = 20;

async function measure({ name, context, relay, upstream, database, clients, seconds, again, rampMs, warm, isProfiled }) {
  const load = await worker("load/turn-load.mjs");
  try {
    const { started } = await load.call({ cmd: "open", target: name, context: tellable(context), clients, again, rampMs });
    await sleep(warm * 1000);
    const cpu = () => [relay?.pid, upstream.pid, load.pid, database?.pid].map((pid) => (pid ? cpuSeconds(pid) : Number.NaN));
    const window = async () => {
      const { first } = await load.call({ cmd: "begin" });
      const before = cpu();
      const startedAt = performance.now();
      await sleep(seconds * 1000);
      const used = cpu().map((value, index) => value - before[index]);
      const elapsed = (performance.now() - startedAt) / 1000;
      const rss = relay ? rssMB(relay.pid) : Number.NaN;
      const counts = await load.call({ cmd: "end" });
      return { ...counts, used, elapsed, rss, first: again ? counts.first : first };
    };
    const { tokens, turns, latency, first, accepted, closing, used, elapsed, rss, closed } = await (isProfiled
      ? relay.profiled(window)
      : window());
    await load.call({ cmd: "quit" });
    const [own, ofUpstream, ofLoad, ofDatabase] = used;
    return {
      started,
      closed,
      rss,
      tokensPerSecond: tokens / elapsed,
      turnsPerSecond: turns / elapsed,
      first: first.p50ms,
      accepted: accepted.p50ms,
      closing: closing.p50ms,
      p50: latency.p50ms,
      p99: latency.p99ms,
      cpuTurn: (own / turns) * 1000,
      cpuTokens: (own / tokens) * 1e6,
      databaseTurn: (ofDatabase / turns) * 1000,
      cores: own / elapsed,
      upstreamCores: ofUpstream / elapsed,
      loadCores: ofLoad / elapsed,
    };
  } finally {
    await load.stop();
  }
}

export async function run({ row, names, all, seconds, rounds, levels, tokens, profile }) {
  const again = row === "turns";
  const rate = again ? 300 : 30;
  /** From now on the upstream says this. With us an answer does not end because its reader left: the upstream has to end it. */
  const say = (perSecond) => upstream.call({ perSecond, characters: deltaSize, ...(again && { tokens }) });
  const warmUp = { seconds: 2, rampMs: 200, warm: 1 };
  const out = [];
  const data = {};
  const upstream = await worker(upstreamScript);
  for (const clients of levels ?? [again ? 40 : 500]) {
    const relays = {};
    const contexts = {};
    const errors = {};
    const got = [];
    const { url } = await say(rate);
    for (const name of names) {
      const target = all[name];
      const context = { upstream: url, upstreamPort: Number(new URL(url).port), clients };
      contexts[name] = context;
      try {
        if (!target.start) continue;
        relays[name] = await bringUp(name, target, context, { row, profile });
        // Warms the compiler; not counted.
        await say(again ? rate : 200);
        await measure({ name, context, relay: relays[name], upstream, clients: 40, again, ...warmUp });
      } catch (error) {
        errors[name] = error.message;
      }
    }
    const warm = clients >= 100 ? 1.5 : 0.5;
    const rampMs = clients >= 100 ? 1400 : 600;
    const window = { seconds, rampMs, warm };
    for (let round = 0; round < rounds; round++) {
      got.push({});
      for (const name of names) {
        if (errors[name]) continue;
        try {
          const database = all[name].database === "postgres" ? await openServer() : null;
          const [relay, context] = [relays[name], contexts[name]];
          await say(rate);
          await sleep(200);
          got[round][name] = await measure({ name, context, relay, upstream, database, clients, again, ...window });
        } catch (error) {
          errors[name] = error.message;
        }
        progress(`${row}: ${clients} at once, round ${round + 1} of ${rounds}, ${name}`);
      }
    }
    if (relays[profile] && !errors[profile]) {
      const [relay, context] = [relays[profile], contexts[profile]];
      const options = { name: profile, context, relay, upstream, clients, again, ...window, isProfiled: true };
      await say(rate);
      await measure(options).catch((error) => {
        errors[`${profile}, profiled`] = error.message;
      });
    }
    for (const relay of Object.values(relays)) await relay.stop();
    data[clients] = { got, errors };
    const measured = names.filter((name) => got.some((round) => round[name]));
    out.push((again ? describeTurns : describeStreams)({ clients, rate, tokens, all, measured, got }) + failures(errors));
  }
  await upstream.stop();
  return { markdown: out.join("\n\n"), data };
}

const referenceOf = (measured) => (measured.includes("pipe") ? "pipe" : measured[0]);

function describeTurns({ clients, tokens, all, measured, got }) {
  const reference = referenceOf(measured);
  const of = (name, key) => medianOf(got, name, key);
  const rows = measured.map((name) => {
    const ratio = ratioTo(got, name, reference, "cpuTurn");
    const { cpu, first } = all[name].promise ?? {};
    return [
      name,
      of(name, "cpuTurn"),
      times(ratio),
      promise(ratio, { ...cpu, unit: "×" }),
      of(name, "first"),
      promise(of(name, "first"), { ...first, unit: " ms" }),
      of(name, "accepted"),
      of(name, "closing"),
      of(name, "turnsPerSecond"),
      of(name, "cores"),
      of(name, "databaseTurn"),
      of(name, "rss"),
    ];
  });
  const head = [
    "target",
    "CPU ms/turn",
    `÷ ${reference}`,
    "promise",
    "first token ms",
    "promise",
    "send answered ms",
    "last token to end ms",
    "turns/s",
    "cores",
    "Postgres ms/turn",
    "RSS MB",
  ];
  return `### ${clients} clients, answers of ${tokens} tokens one after the other

(upstream ${of(reference, "upstreamCores").toFixed(2)} and load generator ${of(reference, "loadCores").toFixed(2)} cores beside ${reference}.
A turn of ours is chat.send and then chat.follow until run-end, both on one socket, each turn a new conversation (parley-history: ten
turns a conversation); its first token counts from the send. Peers store nothing. PGlite's CPU is in ours; Postgres' own, a process
beside it, is the column.)

${table(head, rows)}`;
}

function describeStreams({ clients, rate, all, measured, got }) {
  const reference = referenceOf(measured);
  const of = (name, key) => medianOf(got, name, key);
  const rows = measured.map((name) => {
    const delivered = median(got.filter((round) => round[name]).map((round) => round[name].tokensPerSecond / (clients * rate)));
    return [
      name,
      of(name, "started"),
      `${(100 * delivered).toFixed(0)}%`,
      of(name, "p50"),
      of(name, "p99"),
      of(name, "cpuTokens"),
      times(ratioTo(got, name, reference, "cpuTokens")),
      of(name, "cores"),
      of(name, "rss"),
    ];
  });
  const head = ["target", "began", "delivered", "p50 ms", "p99 ms", "CPU s/M tokens", `÷ ${reference}`, "cores", "RSS MB"];
  return `### ${clients} steady streams of ${rate} tokens/s\n\n${table(head, rows)}`;
}
