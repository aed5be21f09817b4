import type { Attributes, Log } from "@parley/core/ports";
import type { FinishedSpan, SpanExporter } from "./finished-span.ts";
import { otlpTraces } from "./otlp-json.ts";
import { type HandedOn, postSpans } from "./otlp-post.ts";

export interface OtlpOptions {
  /** With its path. */
  url: string;
  headers: Record<string, string>;
  resource: Attributes;
  version: string;
  wants: SpanExporter["wants"];
  log: Log;
  delayMs?: number;
  timeoutMs?: number;
}

const name = "otlp";
/** As the specification has them. */
const mostWaiting = 2_048;
const mostInBatch = 512;
const usualDelayMs = 5_000;
const usualTimeoutMs = 10_000;
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
const mostTries = 6;

/**
 * OTLP over HTTP, in JSON. A collector that is away, slow or full costs nobody anything: what has no room in the queue is given
 * up, and counted.
 */
export function otlpExporter(options: OtlpOptions): SpanExporter {
  const { log, wants, delayMs = usualDelayMs, timeoutMs = usualTimeoutMs } = options;
  const scope = { name: "parley", version: options.version };
  const totals = { sent: 0, dropped: 0, failed: 0 };
  let waiting: FinishedSpan[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending: Promise<void> | null = null;
  let isAway = false;
  let isClosing = false;
  let wake = () => {};
  const leaving = new AbortController();

  function begin() {
    clearTimeout(timer);
    timer = undefined;
    sending ??= sendAll().finally(() => {
      sending = null;
      if (waiting.length > 0 && !isClosing) plan();
    });
  }

  function plan() {
    if (waiting.length >= mostInBatch) begin();
    else timer ??= setTimeout(begin, delayMs);
  }

  /** Until less than a batch waits, or at the end until nothing does. */
  async function sendAll() {
    do {
      const batch = waiting.slice(0, mostInBatch);
      waiting = waiting.slice(mostInBatch);
      if (batch.length > 0) await send(batch);
    } while (waiting.length >= mostInBatch || (isClosing && waiting.length > 0 && !leaving.signal.aborted));
  }

  async function send(batch: readonly FinishedSpan[]) {
    const body = JSON.stringify(otlpTraces(batch, options.resource, scope));
    for (let tries = 1; ; tries++) {
      const posted = await postSpans({ url: options.url, headers: options.headers, body, timeoutMs, signal: leaving.signal });
      note(posted);
      if (posted.isTaken) {
        const rejected = Math.min(posted.rejected, batch.length);
        totals.sent += batch.length - rejected;
        totals.failed += rejected;
        return;
      }
      if (!posted.mayBeTriedAgain || isClosing || tries === mostTries) {
        totals.failed += batch.length;
        return;
      }
      await pause(posted.retryAfterMs ?? firstPauseMs * 2 ** (tries - 1) * (0.5 + Math.random()));
    }
  }

  /** One line when it goes away, one when it is back. */
  function note({ isTaken, trouble }: HandedOn) {
    if (!isTaken && !isAway) log.warn({ trouble }, "traces cannot be handed on: they are kept for a while, then given up");
    else if (isTaken && isAway) log.info({}, "traces are handed on again");
    isAway = !isTaken;
  }

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const over = setTimeout(finish, Math.min(milliseconds, longestPauseMs));
      wake = finish;
      function finish() {
        clearTimeout(over);
        resolve();
      }
    });
  }

  return {
    name,
    totals,
    wants,
    add(span) {
      if (waiting.length >= mostWaiting || isClosing) {
        totals.dropped++;
        return;
      }
      waiting.push(span);
      if (!sending) plan();
    },
    async close(milliseconds) {
      isClosing = true;
      wake();
      const enough = setTimeout(() => leaving.abort(), milliseconds);
      // What is under way may have looked into the queue before this was the end.
      await sending;
      begin();
      await sending;
      clearTimeout(enough);
      clearTimeout(timer);
      totals.dropped += waiting.length;
      waiting = [];
    },
  };
}
