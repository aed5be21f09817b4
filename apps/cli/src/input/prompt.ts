import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { exitCodes } from "../exit-codes.ts";
import { Failure, usage } from "../failure.ts";

interface How {
  /** What says it where there is no terminal. */
  option: string;
  isSecret?: boolean;
}

/** Asks on the terminal, and on standard error, so that the output stays for what was asked for. */
export async function prompt(question: string, { option, isSecret = false }: How): Promise<string> {
  if (!process.stdin.isTTY) throw usage(`${question} is asked on a terminal only: use ${option}`);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  process.stderr.write(`${question}: `);
  const lines = createInterface({ input: process.stdin, output: isSecret ? silent : process.stderr, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      const leave = () => reject(new Failure(exitCodes.interrupted, "interrupted", "Nothing was sent"));
      lines.once("line", resolve);
      lines.once("SIGINT", leave);
      lines.once("close", leave);
    });
  } finally {
    lines.close();
    if (isSecret) process.stderr.write("\n");
  }
}
