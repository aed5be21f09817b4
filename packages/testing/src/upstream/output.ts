import type { ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";
import type { Script } from "./script.ts";

const fullAt = 256 * 1024;

export type Output = ReturnType<typeof createOutput>;

/** The bytes of one stream on their way to its client. */
export function createOutput(response: ServerResponse, { pieceBytes, newline }: NonNullable<Script["transport"]>) {
  let waiting = Buffer.alloc(0);
  let written = Promise.resolve();
  const lines = (text: string) => (newline === "\r\n" ? text.replaceAll("\n", newline) : text);

  /** A piece ends where it has to, also in the middle of an event or a character; what is left waits for more. */
  async function writePieces(size: number) {
    while (waiting.length >= size && !response.destroyed) {
      // Before it: a client in this process reads between two turns of the loop, and has each piece on its own then.
      await setImmediate();
      response.write(waiting.subarray(0, size));
      waiting = waiting.subarray(size);
    }
  }

  function writeRaw(text: string) {
    if (pieceBytes) {
      waiting = Buffer.concat([waiting, Buffer.from(text)]);
      written = written.then(() => writePieces(pieceBytes));
    } else if (text !== "") response.write(text);
    return written;
  }

  return {
    write: (text: string) => writeRaw(lines(text)),
    writeRaw,
    /** What was said so far has left, also what is less than a piece. */
    async flush() {
      await written;
      if (waiting.length === 0) return;
      await setImmediate();
      response.write(waiting);
      waiting = Buffer.alloc(0);
    },
    isOpen: () => !response.destroyed && response.socket !== null,
    isFull: () => response.writableLength + waiting.length > fullAt,
    /** Sends a text between these two. Ready chunks go past the response, which would frame each of them anew. */
    template([before = "", after = ""]: string[], fixed: string | null): (text: string) => void {
      const [head, tail] = [lines(before), lines(after)];
      if (pieceBytes) return (text) => void writeRaw(`${head}${text}${tail}`);
      const around = Buffer.byteLength(head) + Buffer.byteLength(tail);
      const frame = (text: string) => `${(around + text.length).toString(16)}\r\n${head}${text}${tail}\r\n`;
      const ready = fixed === null ? null : Buffer.from(frame(fixed));
      return (text) => void response.socket?.write(ready ?? frame(text));
    },
  };
}
