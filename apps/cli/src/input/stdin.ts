import { fstatSync } from "node:fs";
import { text } from "node:stream/consumers";

/** Somebody pipes or redirects something into us. Sockets do not count: programs leave them open without writing. */
export function isPiped(): boolean {
  try {
    const stats = fstatSync(0);
    return stats.isFIFO() || stats.isFile();
  } catch {
    return false;
  }
}

export async function readStdin(): Promise<string> {
  return (await text(process.stdin)).replace(/\r?\n$/, "");
}
