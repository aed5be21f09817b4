import * as http from "node:http";
import * as https from "node:https";
import { type BodySink, type FollowedBody, followBody } from "@parley/core/ports";

/** As long as the runtime's own waits for a connection. */
const connectMs = 10_000;
/** How many chunks wait for their reader before the socket does. */
const waitingChunks = 16;
const withoutBody = new Set([204, 205, 304]);

/**
 * `fetch` over node:http: a streamed answer takes a third less CPU in its adapter than with the runtime's own. Bodies that are no
 * text, rare in calls to vendors, go the usual way. It asks for no compression and undoes none. It follows no redirect, which
 * would take a vendor's key elsewhere, and answers with it as it is.
 */
export function nodeFetch(): typeof globalThis.fetch {
  const options = { keepAlive: true, timeout: connectMs };
  const plain = { request: http.request, agent: new http.Agent(options) };
  const secure = { request: https.request, agent: new https.Agent(options) };

  return (input, init = {}) => {
    const { body = null, method = "GET", signal } = init;
    if (input instanceof Request || (body !== null && typeof body !== "string")) {
      return fetch(input, { ...init, redirect: "manual" });
    }
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const url = new URL(input);
      const { request: open, agent } = url.protocol === "https:" ? secure : plain;
      const headers = Object.fromEntries(new Headers(init.headers));
      headers["accept-encoding"] = "identity";
      if (body !== null) headers["content-length"] = String(Buffer.byteLength(body));
      const request = open(url, { method, headers, agent });
      const fail = (cause: unknown) => reject(signal?.aborted ? signal.reason : new TypeError("fetch failed", { cause }));
      const abort = () => request.destroy();
      signal?.addEventListener("abort", abort);
      request.on("close", () => signal?.removeEventListener("abort", abort));
      request.on("error", fail);
      request.on("timeout", () => {
        const isSent = request.writableFinished;
        if (!isSent) request.destroy(Object.assign(new Error("The connection could not be made in time"), { code: "ETIMEDOUT" }));
      });
      request.on("response", (incoming) => {
        try {
          resolve(responseOf(incoming, signal));
        } catch (error) {
          request.destroy();
          fail(error);
        }
      });
      request.end(body ?? undefined);
    });
  };
}

function responseOf(incoming: http.IncomingMessage, signal: AbortSignal | null | undefined): Response {
  const { statusCode: status = 0, rawHeaders } = incoming;
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  if (!withoutBody.has(status)) return new Response(bodyOf(incoming, signal), { status, headers });
  incoming.resume();
  return new Response(null, { status, headers });
}

/** Nothing is read before somebody reads. */
function bodyOf(incoming: http.IncomingMessage, signal: AbortSignal | null | undefined): FollowedBody {
  const leave = () => void incoming.removeAllListeners("data").removeAllListeners("end").destroy();

  function follow(sink: BodySink) {
    let isOver = false;
    const fail = (cause: unknown) => {
      if (isOver) return;
      isOver = true;
      sink.fail(signal?.aborted ? signal.reason : new TypeError("terminated", { cause }));
    };
    incoming.on("data", (chunk: Buffer) => sink.chunk(chunk));
    incoming.on("end", () => sink.end());
    incoming.on("error", fail);
    if (incoming.destroyed) queueMicrotask(() => fail(incoming.errored));
    return {
      stop() {
        isOver = true;
        leave();
      },
    };
  }

  let isRead = false;
  const source: UnderlyingDefaultSource<Uint8Array> = {
    pull(controller) {
      if (isRead) return void incoming.resume();
      isRead = true;
      follow({
        chunk(bytes) {
          controller.enqueue(bytes);
          if ((controller.desiredSize ?? 0) <= -waitingChunks) incoming.pause();
        },
        end: () => controller.close(),
        fail: (error) => controller.error(error),
      });
    },
    cancel: leave,
  };
  // What breaks before somebody reads is told to whoever then does.
  incoming.on("error", () => {});
  return Object.assign(new ReadableStream(source, { highWaterMark: 0 }), { [followBody]: follow });
}
