import type { AnyTRPCRouter } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import type { Context } from "../context.ts";
import { type Answer, json } from "./answer.ts";
import { concat } from "./bytes.ts";
import { maximumBatch } from "./trpc-plan.ts";

export interface StreamedCall {
  readonly router: AnyTRPCRouter;
  readonly request: Request;
  /** The body of a POST, already measured; null for a GET. */
  readonly body: string | null;
  readonly context: Context;
  /** Null for a batch, whose calls have their own lines. */
  readonly subscription: string | null;
  /** Also ends the stream when the caller's session or rights do. */
  readonly until: ((context: Context, signal: AbortSignal) => AbortSignal) | undefined;
}

/** Subscriptions (SSE) and streamed batches (JSON lines) are tRPC's own. */
export async function answerStreamed({ router, request, body, context, subscription, until }: StreamedCall): Promise<Answer> {
  const { url, method, headers } = request;
  const startedAt = performance.now();
  // A request's own signal says nothing of a stream that has come to its end.
  const over = new AbortController();
  over.signal.addEventListener("abort", () => {
    if (subscription === null) return;
    const { services, requestId, actor } = context;
    const ms = Math.round(performance.now() - startedAt);
    services.log.debug({ requestId, userId: actor?.userId ?? null, procedure: subscription, ms }, "subscription ended");
  });
  const ended = AbortSignal.any([request.signal, over.signal]);
  const signal = until?.(context, ended) ?? ended;
  const response = await fetchRequestHandler({
    endpoint: "/trpc",
    req: new Request(url, { method, headers, signal, body }),
    router,
    createContext: () => context,
    allowBatching: true,
    maxBatchSize: maximumBatch,
  });
  const contentType = response.headers.get("content-type") ?? json;
  const isEvents = contentType.startsWith("text/event-stream");
  const stream: Bytes | null = response.body;
  return {
    status: response.status,
    type: contentType,
    // Nothing on the way may gather or compress what is to arrive as it happens.
    headers: isEvents ? { "cache-control": "no-store, no-transform", "x-accel-buffering": "no" } : undefined,
    body: stream && (isEvents ? joinEvents : handOn)(stream, () => over.abort()),
  };
}

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

function handOn(source: Bytes, onEnd: () => void): Bytes {
  return source.pipeThrough(new TransformStream({ flush: onEnd }));
}

const newline = 10;

/**
 * tRPC writes the lines of an event apart. One write an event is cheaper, and on Workers the second write after a client
 * has left ends the stream before the procedure hears of it.
 */
function joinEvents(source: Bytes, onEnd: () => void): Bytes {
  const reader = source.getReader();
  return new ReadableStream({
    async pull(controller) {
      const parts: Uint8Array[] = [];
      for (;;) {
        const { done, value } = await reader.read().catch((cause: unknown) => {
          onEnd();
          throw cause;
        });
        if (value) parts.push(value);
        const isWhole = done || (value.at(-1) === newline && value.at(-2) === newline);
        if (!isWhole) continue;
        if (parts.length > 0) controller.enqueue(concat(parts));
        if (done) {
          controller.close();
          onEnd();
        }
        return;
      }
    },
    cancel(reason) {
      onEnd();
      return reader.cancel(reason);
    },
  });
}
