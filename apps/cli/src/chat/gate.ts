import { Writable } from "node:stream";

/** The terminal as the line editor sees it: while an answer is printed, it writes nothing between. */
export class Gate extends Writable {
  isOpen = true;
  readonly isTTY = true;

  constructor() {
    super({ decodeStrings: false });
    process.stdout.on("resize", () => this.emit("resize"));
  }

  get columns(): number {
    return process.stdout.columns;
  }

  override _write(chunk: string, encoding: BufferEncoding, done: () => void): void {
    if (this.isOpen) process.stdout.write(chunk, encoding);
    done();
  }
}
