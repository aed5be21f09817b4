import type { ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";
import type { Script } from "./script.ts";

const fullAt = 256 * 1024;

export type Output = ReturnType<typeof createOutput>;

/** The bytes of one stream on their way to its client. */
export function createOutput(response: ServerResponse, { pieceBytes, newline }: NonNullable<Script["transport"]>) {
  let waiting = Buffer.alloc(0);
  const lines = (text: string) => (newline === "\r\n" ? text.replaceAll("\n", newline) : text);

  /** A piece ends where it has to, also in the middle of an event or a character; what is left waits for more. */
  async function writePieces(bytes: Buffer, size: number) {
    waiting = Buffer.concat([waiting, bytes]);
    while (waiting.length >= size && !response.destroyed) {
      response.write(waiting.subarray(0, size));
      waiting = waiting.subarray(size);
      await setImmediate();
    }
  }

  async function writeRaw(text: string) {
    if (pieceBytes) await writePieces(Buffer.from(text), pieceBytes);
    else if (text !== "") response.write(text);
  }

  return {
    write: (text: string) => writeRaw(lines(text)),
    writeRaw,
    async flush() {
      if (waiting.length > 0) response.write(waiting);
      waiting = Buffer.alloc(0);
    },
    isOpen: () => !response.destroyed && response.socket !== null,
    isFull: () => response.writableLength > fullAt,
    /** At once, in one piece. */
    queue: (text: string) => void response.write(lines(text)),
    /**
     * What sends a text between these two. It writes ready chunks past the response, which would frame each of them anew.
     */
    template([before = "", after = ""]: string[], fixed: string | null): (text: string) => void {
      const [head, tail] = [lines(before), lines(after)];
      const around = Buffer.byteLength(head) + Buffer.byteLength(tail);
      const frame = (text: string) => `${(around + text.length).toString(16)}\r\n${head}${text}${tail}\r\n`;
      const ready = fixed === null ? null : Buffer.from(frame(fixed));
      return (text) => void response.socket?.write(ready ?? frame(text));
    },
  };
}
