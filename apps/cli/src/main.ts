#!/usr/bin/env node
import { runCommandLine } from "./cli.ts";
import { exitCodes } from "./exit-codes.ts";

// Whoever reads what we write may leave: `parley ask … | head -1`.
for (const stream of [process.stdout, process.stderr]) stream.on("error", leave);

// Node's fetch forgets a request whose connection is closed as it opens: then nothing is left that could still happen.
process.once("beforeExit", () => {
  process.stderr.write("parley: The server has closed the connection without a word (not_reached)\n");
  process.exit(exitCodes.notReached);
});

const code = await runCommandLine(process.argv.slice(2));
// An idle connection would keep the process; what is written must still arrive.
process.stdout.write("", (error) => (error ? leave(error) : process.stderr.write("", () => process.exit(code))));

function leave({ code, message }: NodeJS.ErrnoException): never {
  if (code === "EPIPE") process.exit(exitCodes.leftByReader);
  process.stderr.write(`parley: The output cannot be written: ${message}\n`);
  process.exit(exitCodes.refused);
}
