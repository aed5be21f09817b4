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
  readonly signal: AbortSignal | undefined;
}

/** Subscriptions (SSE) and streamed batches (JSON lines) are tRPC's own. */
export async function answerStreamed({ router, request, body, context, signal }: StreamedCall): Promise<Answer> {
  const { url, method, headers } = request;
  const response = await fetchRequestHandler({
    endpoint: "/trpc",
    req: new Request(url, { method, headers, signal: signal ?? request.signal, body }),
    router,
    createContext: () => context,
    allowBatching: true,
    maxBatchSize: maximumBatch,
  });
  const contentType = response.headers.get("content-type") ?? json;
  const isEvents = contentType.startsWith("text/event-stream");
  const stream: ReadableStream<Uint8Array<ArrayBuffer>> | null = response.body;
  return {
    status: response.status,
    type: contentType,
    // Nothing on the way may gather or compress what is to arrive as it happens.
    headers: isEvents ? { "cache-control": "no-store, no-transform", "x-accel-buffering": "no" } : undefined,
    body: isEvents && stream ? joinEvents(stream) : stream,
  };
}

const newline = 10;

/**
 * tRPC writes the lines of an event apart. One write an event is cheaper, and on Workers the second write after a client
 * has left ends the stream before the procedure hears of it.
 */
function joinEvents(source: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = source.getReader();
  return new ReadableStream({
    async pull(controller) {
      const parts: Uint8Array[] = [];
      for (;;) {
        const { done, value } = await reader.read();
        if (value) parts.push(value);
        const isWhole = done || (value.at(-1) === newline && value.at(-2) === newline);
        if (!isWhole) continue;
        if (parts.length > 0) controller.enqueue(concat(parts));
        if (done) controller.close();
        return;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
