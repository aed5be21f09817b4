// Byte pipe: the floor of any relay that goes through Node's http in and out.
import http from "node:http";

const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity }),
  UP = process.env.UPSTREAM;
http
  .createServer((req, res) => {
    const up = http.request(
      UP + req.url,
      { method: req.method, agent, headers: { ...req.headers, host: new URL(UP).host } },
      (r) => {
        res.writeHead(r.statusCode, r.headers);
        r.pipe(res);
      },
    );
    up.on("error", () => res.destroy());
    res.on("close", () => up.destroy());
    req.pipe(up);
  })
  .listen(+process.env.PORT, "127.0.0.1", 4096);
