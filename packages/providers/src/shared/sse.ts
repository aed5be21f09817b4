import { ProviderError } from "@parley/core/ports";

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
  /** Asked after each batch. When it is over nothing more is read, but the connection may be used again. */
  phase?: () => Phase;
}

/** How long an answer that is closing may keep us. */
const graceMs = 1_000;

/**
 * The events of a response, those that came together in one array. An empty one is a sign of life: a comment, or a piece
 * of an event. When the signal aborts or the consumer stops, the body is cancelled, which closes the connection; an
 * aborted one ends without an error.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  { signal, phase = () => "open" }: ReadOptions,
): AsyncGenerator<readonly SseEvent[], void, undefined> {
  const reader = body.getReader();
  const events = createSseReader();
  let isComplete = false;
  let grace: ReturnType<typeof setTimeout> | undefined;
  const cancel = () => cancelBody(reader);
  signal.addEventListener("abort", cancel);
  try {
    while (!signal.aborted) {
      const { done, value } = await reader.read();
      if (done) return;
      const batch = events.push(value);
      yield batch;
      const now = phase();
      isComplete = now === "over";
      if (isComplete) return;
      if (batch.length === 0) continue;
      clearTimeout(grace);
      if (now === "closing") grace = setTimeout(cancel, graceMs);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearTimeout(grace);
    signal.removeEventListener("abort", cancel);
    if (isComplete && !signal.aborted) finish(reader).catch(cancel);
    else cancel();
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

function cancelBody(reader: Reader) {
  reader.cancel().catch(() => {});
}

/** A body that ends is read to its end, because only then its connection can be used again. */
async function finish(reader: Reader) {
  const timer = setTimeout(cancelBody, 500, reader);
  try {
    while (!(await reader.read()).done);
  } finally {
    clearTimeout(timer);
  }
}
