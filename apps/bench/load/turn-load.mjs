// Load generator of the rows `turns` and `stream`: raw connections to one target, driven over IPC by suites/turns.mjs.
//   open { target, context, clients, again, rampMs } -> begin -> end (counts and latencies) -> quit
// again: the next answer is asked for when one has ended; otherwise there is one long answer a connection.
import { nowUs } from "../lib/clock.mjs";
import { Conn } from "../lib/raw-client.mjs";
import { Histogram } from "../lib/stats.mjs";
import { targets } from "../targets.mjs";

const openMs = 30_000;
const rampSteps = 40;
const conns = [];
const closed = {};
let counts;
let isCounting = false;
let alive = 0;

function reset() {
  counts = {
    latency: new Histogram(),
    first: new Histogram(),
    accepted: new Histogram(),
    closing: new Histogram(),
    tokens: 0,
    turns: 0,
  };
}
reset();

async function open({ target: name, context, clients, again, rampMs }) {
  const target = targets.turns[name];
  const { client } = target;
  const port = target.port?.(context) ?? context.port;
  let started = 0;
  let refused = 0;
  await new Promise((resolve, reject) => {
    const describe = () => `none of ${clients} answers began; closed: ${JSON.stringify(closed)}`;
    // An overloaded relay is measured with those that did begin.
    const timer = setTimeout(() => (started ? resolve() : reject(new Error(describe()))), openMs);
    const handlers = {
      conversed(conn) {
        if (isCounting && again) counts.accepted.add(nowUs() - conn.askedAt);
      },
      token(us, conn) {
        conn.lastTokenAt = nowUs();
        if (isCounting) {
          counts.tokens++;
          counts.latency.add(us);
        }
        if (conn.hasBegun) return;
        conn.hasBegun = true;
        if (isCounting || !again) counts.first.add(nowUs() - conn.askedAt);
        if (conn.isCounted) return;
        conn.isCounted = true;
        alive++;
        if (++started < clients) return;
        clearTimeout(timer);
        resolve();
      },
      end(conn) {
        if (isCounting) {
          counts.turns++;
          counts.closing.add(nowUs() - conn.lastTokenAt);
        }
        if (!again || conn.done) return;
        conn.hasBegun = false;
        conn.askedAt = nowUs();
        const next = client.next({ ...context, i: conn.i, turn: conn.turn });
        if (Array.isArray(next)) conn.converse(next);
        else conn.send(next);
      },
      close(conn, why) {
        closed[why] = (closed[why] ?? 0) + 1;
        if (conn.isCounted) alive--;
        else if (++refused === clients) reject(new Error(describe()));
      },
    };
    const batch = Math.max(1, Math.ceil(clients / rampSteps));
    let i = 0;
    const ramp = () => {
      for (let k = 0; k < batch && i < clients; k++, i++) {
        const conn = new Conn(port, client.steps({ ...context, i }), handlers, { end: again ? client.end : null });
        conn.i = i;
        conn.askedAt = nowUs();
        conns.push(conn);
      }
      if (i < clients) setTimeout(ramp, rampMs / rampSteps); // so that phases spread
    };
    ramp();
  });
  return { started };
}

function begin() {
  const first = counts.first.json();
  reset();
  isCounting = true;
  return { first };
}

function end() {
  isCounting = false;
  const { tokens, turns, latency, first, accepted, closing } = counts;
  const times = { latency: latency.json(), first: first.json(), accepted: accepted.json(), closing: closing.json() };
  return { tokens, turns, ...times, alive, closed };
}

function quit() {
  for (const conn of conns) conn.destroy();
  setTimeout(() => process.exit(0), 100);
  return {};
}

const commands = { open, begin, end, quit };
process.on("message", async ({ cmd, ...message }) => {
  try {
    process.send(await commands[cmd](message));
  } catch (error) {
    process.send({ error: error.message });
  }
});
setTimeout(() => process.exit(3), 240_000).unref();
process.on("disconnect", () => process.exit(0));
