// Fake LLM upstream. Speaks the wire formats of
//   POST /v1/messages                                     Anthropic Messages, stream:true (SSE)
//   POST /v1beta/models/<m>:streamGenerateContent?alt=sse Gemini (SSE, CRLF as Google sends it)
// Each delta text carries the send time: " w@<12 digits>" padded to `size` characters.
// POST /__config {rate, tokens, size}: rate = deltas/s per stream (0: all at once); GET /__stats: deltas sent.
// Many streams are driven by one 1 ms wheel, and chunks are written to the socket ready-framed, to stay cheap.
import http from "node:http";
import { stamp } from "../lib/clock.mjs";

const cfg = { rate: +(process.env.RATE ?? 30), tokens: +(process.env.TOKENS ?? 300), size: +(process.env.SIZE ?? 20) };
const WHEEL = 4096,
  wheel = Array.from({ length: WHEEL }, () => []);
let active = 0,
  sent = 0,
  stalled = 0,
  turns = 0,
  tick = 0,
  timer = null,
  t0 = 0;

const sse = (event, data) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
const frame = (s) => `${s.length.toString(16)}\r\n${s}\r\n`; // all ASCII
const pad = () => "x".repeat(Math.max(0, cfg.size - 15));
const text = () => ` w${stamp()}${pad()}`;

const anthropic = {
  open: () =>
    sse("message_start", {
      type: "message_start",
      message: {
        id: `msg_01${Math.random().toString(36).slice(2, 14)}`,
        type: "message",
        role: "assistant",
        model: "claude-sonnet-4-5",
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 25, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
      },
    }) +
    sse("content_block_start", { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }) +
    'event: ping\ndata: {"type": "ping"}\n\n',
  delta: () =>
    `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${text()}"}}\n\n`,
  close: (n) =>
    sse("content_block_stop", { type: "content_block_stop", index: 0 }) +
    sse("message_delta", {
      type: "message_delta",
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { output_tokens: n },
    }) +
    sse("message_stop", { type: "message_stop" }),
};
const gem = (t, n, end) =>
  `data: {"candidates": [{"content": {"parts": [{"text": "${t}"}],"role": "model"}${end ? ',"finishReason": "STOP"' : ""},"index": 0}],"usageMetadata": {"promptTokenCount": 25,"candidatesTokenCount": ${n},"totalTokenCount": ${25 + n}},"modelVersion": "gemini-2.5-flash","responseId": "r1"}\r\n\r\n`;
const gemini = { open: () => "", delta: (n) => gem(text(), n), close: (n) => gem("", n, true) };

function push(s) {
  if (s.sock.destroyed) {
    active--;
    return false;
  }
  if (s.sock.writableLength > 262144) {
    stalled++;
    return true;
  } // the relay does not keep up: skip, do not queue without end
  s.sock.write(frame(s.f.delta(++s.n)), "latin1");
  sent++;
  if (s.n < s.tokens) return true;
  s.res.write(s.f.close(s.n));
  s.res.end();
  active--;
  turns++;
  return false;
}
function run() {
  const now = Math.floor(performance.now() - t0);
  while (tick < now) {
    tick++;
    const slot = wheel[tick % WHEEL],
      due = slot.splice(0);
    for (const s of due)
      if (push(s)) {
        s.at += s.every;
        wheel[Math.max(tick + 1, Math.floor(s.at)) % WHEEL].push(s);
      }
  }
  timer = active > 0 ? setTimeout(run, 1) : null;
}
function start(res, f) {
  res.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", "request-id": "req_1" });
  const head = f.open();
  head ? res.write(head) : res.flushHeaders();
  const s = { res, sock: res.socket, f, n: 0, tokens: cfg.tokens, every: 1000 / (cfg.rate || 1), at: 0 };
  active++;
  if (!cfg.rate) {
    while (push(s));
    return;
  }
  if (!timer) {
    if (!t0) t0 = performance.now();
    tick = Math.floor(performance.now() - t0);
    timer = setTimeout(run, 1);
  }
  s.at = tick + 1; // the first delta leaves at the next tick
  wheel[(tick + 1) % WHEEL].push(s);
}

http
  .createServer({ keepAliveTimeout: 60000 }, (req, res) => {
    let body = "";
    req.setEncoding("utf8");
    req.on("data", (d) => {
      body += d;
    });
    req.on("end", () => {
      const json = (o, code = 200) => {
        res.writeHead(code, { "content-type": "application/json" });
        res.end(JSON.stringify(o));
      };
      if (req.url === "/__config") {
        Object.assign(cfg, JSON.parse(body));
        return json(cfg);
      }
      if (req.url === "/__stats") return json({ sent, stalled, turns, active });
      if (req.url.endsWith("/messages")) {
        if (JSON.parse(body).stream) return start(res, anthropic);
        return json({
          id: "msg_1",
          type: "message",
          role: "assistant",
          model: "claude-sonnet-4-5",
          content: [{ type: "text", text: "hello" }],
          stop_reason: "end_turn",
          stop_sequence: null,
          usage: { input_tokens: 25, output_tokens: 1 },
        });
      }
      if (req.url.includes(":streamGenerateContent")) return start(res, gemini);
      json({ type: "error", error: { type: "not_found_error", message: req.url } }, 404);
    });
  })
  .listen(+process.env.PORT, "127.0.0.1", 4096);
