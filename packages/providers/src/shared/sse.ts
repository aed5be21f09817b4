import { ProviderError } from "@parley/core/ports";
import { followChunks } from "./chunks.ts";

export interface SseEvent {
  /** Empty where the vendor names none. */
  event: string;
  data: string;
}

/** Of one line, and of the lines of one event together. */
const longestEvent = 8 * 1024 * 1024;
const lineFeed = 10;
const carriageReturn = 13;
const nothing: readonly SseEvent[] = [];

/** Reads server-sent events from bytes that are cut anywhere. */
export function createSseReader() {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let unfinished = new Uint8Array(0);
  let unfinishedBytes = 0;
  let isFirst = true;
  let endedWithReturn = false;
  let event = "";
  let data: string | null = null;

  function keep(bytes: Uint8Array) {
    const length = unfinishedBytes + bytes.length;
    if (length > longestEvent) throw tooLong();
    if (length > unfinished.length) {
      const larger = new Uint8Array(Math.max(1024, length * 2));
      larger.set(unfinished.subarray(0, unfinishedBytes));
      unfinished = larger;
    }
    unfinished.set(bytes, unfinishedBytes);
    unfinishedBytes = length;
  }

  /** The end of a line is never within a character, so that the decoder need not remember anything. */
  function decode(bytes: Uint8Array): string {
    if (unfinishedBytes === 0) return decoder.decode(bytes);
    keep(bytes);
    const text = decoder.decode(unfinished.subarray(0, unfinishedBytes));
    unfinishedBytes = 0;
    return text;
  }

  function addData(value: string) {
    data = data === null ? value : `${data}\n${value}`;
    if (data.length > longestEvent) throw tooLong();
  }

  function readLine(text: string, start: number, end: number) {
    if (text.startsWith("data:", start)) addData(fieldValue(text, start + 5, end));
    else if (text.startsWith("event:", start)) event = fieldValue(text, start + 6, end);
    else if (end - start === 4 && text.startsWith("data", start)) addData("");
    else if (end - start === 5 && text.startsWith("event", start)) event = "";
  }

  function readLines(text: string): readonly SseEvent[] {
    let events: SseEvent[] | undefined;
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      if (end > start) readLine(text, start, end);
      else {
        if (data !== null) {
          events ??= [];
          events.push({ event, data });
        }
        event = "";
        data = null;
      }
      start = end + 1;
    }
    return events ?? nothing;
  }

  return {
    /** The events that end in these bytes. */
    push(bytes: Uint8Array): readonly SseEvent[] {
      if (bytes.length === 0) return nothing;
      const start = endedWithReturn && bytes[0] === lineFeed ? 1 : 0;
      endedWithReturn = false;
      let end = bytes.length;
      while (end > start && bytes[end - 1] !== lineFeed && bytes[end - 1] !== carriageReturn) end--;
      if (end === start) {
        if (end < bytes.length) keep(start === 0 ? bytes : bytes.subarray(start));
        return nothing;
      }
      endedWithReturn = bytes[end - 1] === carriageReturn;
      let text = decode(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
      if (end < bytes.length) keep(bytes.subarray(end));
      if (isFirst) {
        isFirst = false;
        if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
      }
      if (text.includes("\r")) text = text.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
      return readLines(text);
    },
  };
}

function fieldValue(text: string, start: number, end: number): string {
  return text.slice(text.charCodeAt(start) === 32 ? start + 1 : start, end);
}

function tooLong(): ProviderError {
  return new ProviderError("invalid_stream", "The vendor sent an event that does not end");
}

/** Whether more is expected. An answer that is `closing` has had its last word, and may still be counted. */
export type Phase = "open" | "closing" | "over";

interface ReadOptions {
  signal: AbortSignal;
  /** Given what came together. Nothing is a sign of life too: a comment, or a piece of an event. */
  take(events: readonly SseEvent[]): void;
  /** Asked after each batch. When it is over nothing more is taken, but the connection may be used again. */
  phase?: () => Phase;
}

/** How long an answer that is closing may keep us. */
const graceMs = 1_000;
/** A body that ends is read to its end, because only then its connection can be used again. */
const restMs = 500;

/**
 * Hands over the events of a response until it ends. When the signal aborts or `take` throws, the body is left, which closes
 * the connection; an aborted one ends without an error.
 */
export function readEvents(body: ReadableStream<Uint8Array>, { signal, take, phase = () => "open" }: ReadOptions): Promise<void> {
  const events = createSseReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  return new Promise((resolve, reject) => {
    const following = followChunks(body, {
      chunk(bytes) {
        if (isOver) return;
        try {
          const batch = events.push(bytes);
          take(batch);
          if (batch.length > 0) proceed(phase());
        } catch (error) {
          reject(error);
          leave();
        }
      },
      end: close,
      fail(error) {
        if (!signal.aborted) reject(error);
        close();
      },
    });
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave);

    function proceed(now: Phase) {
      if (isOver) return;
      clearTimeout(timer);
      if (now === "open") return;
      if (now === "over") close();
      timer = setTimeout(leave, now === "over" ? restMs : graceMs);
    }
    function close() {
      isOver = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
      resolve();
    }
    function leave() {
      close();
      following.stop();
    }
  });
}
