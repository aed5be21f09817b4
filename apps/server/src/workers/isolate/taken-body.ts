import { answerWithin } from "@parley/platform/shared";

/** Longer than pings are apart: whoever has taken nothing for so long comes back with the id of its last event. */
const untakenMs = 30_000;
/** Slow readers take this much in that time. */
const pieceLength = 64 * 1_024;

/**
 * A stream that ends when nobody takes what it has. Of a client that has left before the head of its answer was written the
 * runtime says nothing: no signal, no cancel, and the answer is collected as garbage, after which a stream made of pulls would be
 * pulled for ever. What is written here is written once it has been read.
 */
export function takenBody(source: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const { readable, writable } = new IdentityTransformStream();
  void carry(source.getReader(), writable.getWriter());
  return readable;
}

async function carry(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return await writer.close();
      for (let start = 0; start < value.length; start += pieceLength) {
        await answerWithin(untakenMs, writer.write(value.subarray(start, start + pieceLength)));
      }
    }
  } catch (cause) {
    await Promise.allSettled([reader.cancel(cause), writer.abort(cause)]);
  }
}
