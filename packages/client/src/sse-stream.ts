import { TRPCClientError } from "@trpc/client";
import superjson from "superjson";
import { readEvents, type StreamedEvent } from "./event-stream.ts";
import { pause, retryDelayMs } from "./retry-delay.ts";
import type { Wire } from "./wire.ts";

export type SseNotice =
  | { type: "connecting"; cause: unknown }
  | { type: "connected" }
  | { type: "data"; id: string; data: unknown };

/** Of a server that restarts, and of the proxy in front of it; of one that was not reached, not even for a new token, there is none. */
const passing = [undefined, 408, 429, 500, 502, 503, 504];
const defaultQuietMs = 60_000;

/** The browser's EventSource can send no token, hides why it was refused, and is missing in Node. */
export async function* readSubscription(request: Wire, signal: AbortSignal): AsyncGenerator<SseNotice, void> {
  let lastEventId = "";
  let attempt = 0;
  let cause: unknown = null;
  while (!signal.aborted) {
    yield { type: "connecting", cause };
    try {
      for await (const { type, data, id } of connect(request, lastEventId, signal)) {
        if (type === "return") return;
        if (type === "serialized-error") throw refusal(JSON.parse(data));
        if (type === "connected") yield { type };
        else attempt = 0;
        if (type !== "message") continue;
        lastEventId = id;
        yield { type: "data", id, data: superjson.deserialize(JSON.parse(data)) };
      }
      cause = new Error("The connection was lost");
    } catch (error) {
      if (!passing.includes(Object(error).data?.httpStatus)) throw error;
      cause = error;
    }
    await pause(retryDelayMs(attempt++), signal);
  }
}

async function* connect(
  { url, fetch, headers }: Wire,
  lastEventId: string,
  signal: AbortSignal,
): AsyncGenerator<StreamedEvent, void> {
  const connection = new AbortController();
  const leave = () => connection.abort();
  let quietMs = defaultQuietMs;
  let timer = setTimeout(leave, quietMs);
  signal.addEventListener("abort", leave);
  try {
    const resume = lastEventId && { "last-event-id": lastEventId };
    const sent = { ...(await headers()), ...resume, accept: "text/event-stream" };
    if (signal.aborted) return;
    const response = await fetch(url, { headers: sent, signal: connection.signal });
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
    if (!isStream || !response.body) throw await readRefusal(response);
    for await (const event of readEvents(response.body)) {
      if (event.type === "connected") quietMs = readQuietMs(event.data);
      clearTimeout(timer);
      timer = setTimeout(leave, quietMs);
      yield event;
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", leave);
    leave();
  }
}

async function readRefusal(response: Response): Promise<Error> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => null);
  const { error } = Object(body);
  const message = `The server answered with status ${status}`;
  return refusal(Object(error).json ? error : { json: { code: -32600, message, data: { httpStatus: status } } });
}

const refusal = (serialized: { json: never }): Error => TRPCClientError.from({ error: superjson.deserialize(serialized) });

/** How long the server may say nothing, in its own words. */
function readQuietMs(connected: string): number {
  const { reconnectAfterInactivityMs = defaultQuietMs }: { reconnectAfterInactivityMs?: number } = JSON.parse(connected);
  return reconnectAfterInactivityMs;
}
