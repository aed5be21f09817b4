import type { FinishedSpan } from "../../shared/tracing/finished-span.ts";
import type { OtlpOptions } from "../../shared/tracing/otlp-exporter.ts";
import { otlpTraces } from "../../shared/tracing/otlp-json.ts";
import { postSpans } from "../../shared/tracing/otlp-post.ts";
import type { HeldExporter } from "./held-exporter.ts";

const mostWaiting = 2_048;
const mostInBatch = 512;
const timeoutMs = 5_000;
const pauseMs = 5_000;

/** OTLP over HTTP, in JSON, of what an isolate was given. What has no room is given up, and counted. */
export function heldOtlp({ url, headers, resource, version, wants, log }: OtlpOptions): HeldExporter {
  const scope = { name: "parley", version };
  const totals = { sent: 0, dropped: 0, failed: 0 };
  const waiting: FinishedSpan[] = [];
  let pausedUntil = 0;
  let isAway = false;

  function add(span: FinishedSpan) {
    if (waiting.length < mostWaiting) waiting.push(span);
    else totals.dropped++;
  }

  /** Whether there may be more. */
  async function send(batch: readonly FinishedSpan[]): Promise<boolean> {
    const posted = await postSpans({ url, headers, body: JSON.stringify(otlpTraces(batch, resource, scope)), timeoutMs });
    const { isTaken, trouble } = posted;
    if (!isTaken && !isAway) log.warn({ trouble }, "traces cannot be handed on: they are kept for a while, then given up");
    else if (isTaken && isAway) log.info({}, "traces are handed on again");
    isAway = !isTaken;
    if (isTaken) {
      const rejected = Math.min(posted.rejected, batch.length);
      totals.sent += batch.length - rejected;
      totals.failed += rejected;
      return true;
    }
    pausedUntil = Date.now() + (posted.retryAfterMs ?? pauseMs);
    if (posted.mayBeTriedAgain) for (const span of batch) add(span);
    else totals.failed += batch.length;
    return false;
  }

  async function flush() {
    while (waiting.length > 0 && Date.now() >= pausedUntil) {
      // One at a time, by the clock: should whoever sends be put out, another one goes on.
      pausedUntil = Date.now() + timeoutMs;
      if (!(await send(waiting.splice(0, mostInBatch)))) return;
      pausedUntil = 0;
    }
  }

  return { name: "otlp", totals, wants, add, flush, close: flush };
}
