import http from "node:http";
import { Server } from "socket.io";
import { streamDeltas } from "../lib/anthropic-min.mjs";

const server = http.createServer();
new Server(server, { transports: ["websocket"] }).on("connection", (s) => {
  const reqs = new Set();
  s.on("disconnect", () => {
    for (const r of reqs) r.destroy();
  });
  s.on("chat", ({ id }) => {
    const r = streamDeltas(
      (t) => s.emit("token", { id, t }),
      () => {
        reqs.delete(r);
        s.emit("end", { id });
      },
    );
    reqs.add(r);
  });
});
server.listen(+process.env.PORT, "127.0.0.1", 4096);
