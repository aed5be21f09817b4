import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { startLocalServer } from "./local-server.ts";

export interface SentryItem {
  type: string;
  payload: Record<string, unknown>;
}

export type SentryIngest = Awaited<ReturnType<typeof startSentryIngest>>;

/** What Sentry's servers do with envelopes, as far as taking them goes: one that breaks the format is refused. */
export async function startSentryIngest() {
  const items: SentryItem[] = [];
  /** Every byte that arrived, addresses and headers included, for tests of what must not be in there. */
  const everything: string[] = [];

  const server = await startLocalServer(async (request, response) => {
    const raw = await buffer(request);
    const body = (request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw).toString();
    everything.push(`${request.method} ${request.url}\n${JSON.stringify(request.headers)}\n${body}`);
    const isEnvelope =
      request.method === "POST" && request.url?.startsWith("/api/7/envelope/?sentry_version=7&sentry_key=publickey");
    if (!isEnvelope) return void response.writeHead(404).end();
    items.push(...itemsOf(body));
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });

  return {
    dsn: `http://publickey@127.0.0.1:${server.port}/7`,
    items,
    everything,
    of: (type: string) => items.filter((item) => item.type === type).map(({ payload }) => payload),
    stop: server.stop,
    [Symbol.asyncDispose]: server.stop,
  };
}

/** A line for the envelope, then two for each item: its head and its payload. */
function itemsOf(body: string): SentryItem[] {
  const [head = "", ...lines] = body.split("\n");
  JSON.parse(head);
  const items: SentryItem[] = [];
  for (let at = 0; at + 1 < lines.length; at += 2) {
    const { type }: { type: string } = JSON.parse(lines[at] ?? "");
    items.push({ type, payload: JSON.parse(lines[at + 1] ?? "") });
  }
  return items;
}
