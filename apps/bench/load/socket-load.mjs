// Load generator of the rows `fanout` and `idle`: connect { row, target, context, sockets } -> broadcast { seconds } -> quit
import { stamp } from "../lib/clock.mjs";
import { sleep } from "../lib/proc.mjs";
import { Conn } from "../lib/raw-client.mjs";
import { Histogram } from "../lib/stats.mjs";
import { targets } from "../targets.mjs";

const conns = [];
let target;
let context;
let onToken = () => {};
let firstReason = "";
let closed = 0;

async function connect({ row, target: name, context: given, sockets }) {
  target = targets[row][name];
  context = given;
  let ready = 0;
  await new Promise((resolve, reject) => {
    const complain = () => reject(new Error(`${ready} of ${sockets} connected, ${closed} closed: ${firstReason}`));
    const timer = setTimeout(complain, 60_000);
    const handlers = {
      token: (us) => onToken(us),
      ready() {
        if (++ready < sockets) return;
        clearTimeout(timer);
        resolve();
      },
      close(_conn, why) {
        if (closed++ === 0) firstReason = why;
      },
    };
    let i = 0;
    const batch = () => {
      for (let k = 0; k < 50 && i < sockets; k++, i++) {
        conns.push(new Conn(context.port, target.steps({ ...context, i }), handlers));
      }
      if (i < sockets) setTimeout(batch, 20);
    };
    batch();
  });
  await sleep(300);
  return { connected: sockets };
}

/** One message to everybody, the next when all have it. */
async function broadcast({ seconds }) {
  const { length } = conns;
  const latency = new Histogram();
  const last = new Histogram();
  let seen = 0;
  let delivered = 0;
  let wake;
  const publisher = new Conn(target.publishPort?.(context) ?? context.port, [{ send: null }], { token() {} });
  await sleep(50);
  onToken = (us) => {
    latency.add(us);
    delivered++;
    if (++seen < length) return;
    last.add(us);
    wake();
  };
  const startedAt = performance.now();
  const until = startedAt + seconds * 1000;
  while (performance.now() < until) {
    seen = 0;
    await new Promise((resolve, reject) => {
      wake = resolve;
      setTimeout(
        () => reject(new Error(`only ${seen} of ${length} got the message, ${closed} closed: ${firstReason}`)),
        5000,
      ).unref();
      publisher.send(target.publish(stamp()));
    });
  }
  const elapsed = (performance.now() - startedAt) / 1000;
  onToken = () => {};
  publisher.destroy();
  return { delivered, perSecond: delivered / elapsed, latency: latency.json(), last: last.json() };
}

function quit() {
  for (const conn of conns) conn.destroy();
  setTimeout(() => process.exit(0), 200);
  return {};
}

const commands = { connect, broadcast, quit };
process.on("message", async ({ cmd, ...message }) => {
  try {
    process.send(await commands[cmd](message));
  } catch (error) {
    process.send({ error: error.message });
  }
});
setTimeout(() => process.exit(3), 240_000).unref();
process.on("disconnect", () => process.exit(0));
