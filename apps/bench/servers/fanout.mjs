// Broadcast, echo and idle peers: node servers/fanout.mjs <kind>. POST /pub sends its body to every subscriber.

import { EventEmitter, on } from "node:events";
import http from "node:http";

const port = +process.env.PORT,
  kind = process.argv[2];
let publish;
const server = http.createServer((req, res) => {
  let b = "";
  req.setEncoding("utf8");
  req.on("data", (d) => {
    b += d;
  });
  req.on("end", () => {
    publish(b);
    res.writeHead(204);
    res.end();
  });
});
const kinds = {
  async ws() {
    const { WebSocketServer } = await import("ws");
    const wss = new WebSocketServer({ server });
    wss.on("connection", (ws) => ws.on("message", (m, bin) => ws.send(m, { binary: bin })));
    publish = (b) => {
      const s = JSON.stringify({ t: b });
      for (const c of wss.clients) c.send(s);
    };
  },
  async "ws-preframed"() {
    // the floor: one frame is built, its bytes go to every socket
    const { WebSocketServer, Sender } = await import("ws");
    const wss = new WebSocketServer({ server });
    wss.on("connection", (ws) => ws.on("message", (m, bin) => ws.send(m, { binary: bin })));
    publish = (b) => {
      const f = Buffer.concat(
        Sender.frame(Buffer.from(JSON.stringify({ t: b })), { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true }),
      );
      for (const c of wss.clients) c._socket.write(f);
    };
  },
  async socketio() {
    const { Server } = await import("socket.io");
    const io = new Server(server, { transports: ["websocket"] });
    io.on("connection", (s) => s.on("echo", (t, ack) => ack(t)));
    publish = (b) => io.emit("msg", b);
  },
  async "trpc-ws"() {
    const { WebSocketServer } = await import("ws");
    const { initTRPC } = await import("@trpc/server");
    const { applyWSSHandler } = await import("@trpc/server/adapters/ws");
    const { z } = await import("zod");
    const ee = new EventEmitter().setMaxListeners(0),
      t = initTRPC.create();
    const router = t.router({
      feed: t.procedure.subscription(async function* ({ signal }) {
        for await (const [b] of on(ee, "msg", { signal })) yield { t: b };
      }), // as tRPC's own docs do it
      echo: t.procedure.input(z.string()).query(({ input }) => input),
    });
    applyWSSHandler({ wss: new WebSocketServer({ server }), router });
    publish = (b) => ee.emit("msg", b);
  },
};
await kinds[kind]();
server.listen(port, "127.0.0.1", 4096);
