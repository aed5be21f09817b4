// The least work that still understands the upstream: node:http, split at blank lines, JSON.parse of delta events.
import http from "node:http";

const agent = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
export const UPSTREAM = process.env.UPSTREAM;
const messages = [{ role: "user", content: "Hello" }];
const body = JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 1024, stream: true, messages });
const headers = {
  "content-type": "application/json",
  "content-length": body.length,
  "x-api-key": "k",
  "anthropic-version": "2023-06-01",
};

/** Push style. Returns the request, to be destroyed when the client goes away. */
export function streamDeltas(onText, onEnd) {
  const request = http.request(`${UPSTREAM}/v1/messages`, { method: "POST", agent, headers }, (response) => {
    let buffered = "";
    response.setEncoding("utf8");
    response.on("data", (data) => {
      buffered += data;
      for (let end = buffered.indexOf("\n\n"); end >= 0; end = buffered.indexOf("\n\n")) {
        const event = buffered.slice(0, end);
        buffered = buffered.slice(end + 2);
        if (!event.startsWith("event: content_block_delta")) continue;
        const { delta } = JSON.parse(event.slice(event.indexOf("data: ") + 6));
        if (delta.type === "text_delta") onText(delta.text);
      }
    });
    response.on("end", onEnd);
    response.on("error", onEnd);
  });
  request.on("error", onEnd);
  request.end(body);
  return request;
}

/** Pull style: an async generator over the same. */
export async function* deltas(signal) {
  const queue = [];
  let wake = null;
  let ended = false;
  const kick = () => {
    const waiting = wake;
    wake = null;
    waiting?.();
  };
  const request = streamDeltas(
    (text) => {
      queue.push(text);
      kick();
    },
    () => {
      ended = true;
      kick();
    },
  );
  signal?.addEventListener("abort", () => request.destroy(), { once: true });
  try {
    for (let index = 0; ; ) {
      while (index < queue.length) yield queue[index++];
      queue.length = 0;
      index = 0;
      if (ended) return;
      await new Promise((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    request.destroy();
  }
}
