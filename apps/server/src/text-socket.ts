import type { Duplex } from "node:stream";
import type { Socket } from "@parley/api";
import { WebSocket } from "ws";

const finalText = 0x81;

/** Writes each text as one frame with one write. `ws` takes two, a buffer for the header and a copy of its options. */
export class TextSocket implements Socket {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;

  constructor(socket: WebSocket, stream: Duplex) {
    this.#socket = socket;
    this.#stream = stream;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(text: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const length = Buffer.byteLength(text);
    const header = headerOf(length);
    // Only ASCII has as many bytes as letters, and it can be written as it is.
    if (length === text.length) this.#stream.write(header + text, "latin1");
    else {
      const frame = Buffer.allocUnsafe(header.length + length);
      frame.write(header, "latin1");
      frame.write(text, header.length);
      this.#stream.write(frame);
    }
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}

/** A letter a byte. */
function headerOf(length: number): string {
  if (length < 126) return String.fromCharCode(finalText, length);
  if (length < 0x1_0000) return String.fromCharCode(finalText, 126, length >> 8, length & 255);
  const bytes = [length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255];
  return String.fromCharCode(finalText, 127, 0, 0, 0, 0, ...bytes);
}
