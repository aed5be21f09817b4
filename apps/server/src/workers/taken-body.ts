/** Longer than pings are apart: whoever has taken nothing for so long comes back with the id of its last event. */
const untakenMs = 30_000;

/**
 * A stream that ends when nobody takes what it has. The runtime says nothing of a client that has left before the head of its
 * answer was written: no signal, no cancel, and nobody reads.
 */
export function takenBody(source: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let waiting: ReturnType<typeof setTimeout> | undefined;
  return new ReadableStream({
    async pull(controller) {
      clearTimeout(waiting);
      const { done, value } = await reader.read();
      if (done) return controller.close();
      controller.enqueue(value);
      waiting = setTimeout(() => {
        const cause = new Error("Nobody reads this stream");
        controller.error(cause);
        reader.cancel(cause).catch(() => {});
      }, untakenMs);
    },
    cancel(reason) {
      clearTimeout(waiting);
      return reader.cancel(reason);
    },
  });
}
