// Push relay over bare `ws`: parse the upstream, one small JSON frame a delta. The floor of any WebSocket relay.
import http from "node:http";
import { WebSocketServer } from "ws";
import { streamDeltas } from "../lib/anthropic-min.mjs";

const server = http.createServer();
new WebSocketServer({ server }).on("connection", (ws) => {
  const reqs = new Set();
  ws.on("close", () => {
    for (const r of reqs) r.destroy();
  });
  ws.on("message", (m) => {
    const { id } = JSON.parse(m);
    const r = streamDeltas(
      (t) => ws.send(`{"id":${id},"t":${JSON.stringify(t)}}`),
      () => {
        reqs.delete(r);
        ws.send(`{"id":${id},"end":1}`);
      },
    );
    reqs.add(r);
  });
});
server.listen(+process.env.PORT, "127.0.0.1", 4096);
