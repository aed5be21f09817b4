import { createInterface } from "node:readline";
import { exitCodes } from "../exit-codes.ts";
import { Gate } from "./gate.ts";
import { createMessageBuilder } from "./message-builder.ts";

const bracketedPaste = { on: "\u001b[?2004h", off: "\u001b[?2004l" };

export interface Reader {
  /** Null when there is nothing more to come. */
  next(prompt: string): Promise<string | null>;
  /** Meanwhile Ctrl-C and the line /stop call `stop`; what else is written waits for its turn. */
  during<Result>(stop: () => void, work: () => Promise<Result>): Promise<Result>;
  history(): string[];
  close(): void;
}

/** Messages from a terminal, with a line editor and its history; or from a pipe. */
export function openReader(past: string[]): Reader {
  const { stdin, stdout } = process;
  const isTerminal = stdin.isTTY === true && stdout.isTTY === true;
  const gate = new Gate();
  const editor = createInterface({
    input: stdin,
    terminal: isTerminal,
    ...(isTerminal && { output: gate, history: past, historySize: 500, removeHistoryDuplicates: true }),
  });
  const builder = createMessageBuilder();
  const waiting: string[] = [];
  let kept = past;
  let isPasting = false;
  let isClosed = false;
  let interrupts = 0;
  let stopWork: (() => void) | null = null;
  let wake = () => {};

  const arrived = (message: string) => {
    if (stopWork && message === "/stop") stopWork();
    else waiting.push(message);
    wake();
  };
  editor.on("line", (line) => {
    interrupts = 0;
    const message = builder.add(line, { isPasted: isPasting });
    if (message !== null) arrived(message);
    else if (isTerminal && !isPasting && !stopWork) show("… ");
  });
  editor.on("close", () => {
    isClosed = true;
    if (builder.isBegun) arrived(builder.end());
    wake();
  });
  editor.on("history", (lines) => {
    kept = lines;
  });
  const interrupted = () => {
    if (stopWork) return stopWork();
    if (!isTerminal || ++interrupts > 1) {
      close();
      process.exit(exitCodes.interrupted);
    }
    builder.end();
    stdout.write("\n(Ctrl-D or /quit leaves)\n");
    // Clears what is typed.
    editor.write(null, { ctrl: true, name: "u" });
    editor.prompt();
  };
  editor.on("SIGINT", interrupted);
  process.on("SIGINT", interrupted);
  if (isTerminal) {
    stdout.write(bracketedPaste.on);
    stdin.on("keypress", (_text, key?: { name?: string }) => {
      if (key?.name === "paste-start") isPasting = true;
      if (key?.name === "paste-end") isPasting = false;
    });
  }

  function show(prompt: string) {
    gate.isOpen = true;
    if (!isTerminal) return;
    editor.setPrompt(prompt);
    editor.prompt(true);
  }

  function close() {
    if (isTerminal) stdout.write(bracketedPaste.off);
    process.off("SIGINT", interrupted);
    editor.close();
  }

  return {
    async next(prompt) {
      while (waiting.length === 0) {
        if (isClosed) return null;
        show(prompt);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return waiting.shift() ?? null;
    },
    async during(stop, work) {
      stopWork = stop;
      gate.isOpen = false;
      // Said before its answer had begun.
      if (waiting[0] === "/stop") {
        waiting.shift();
        stop();
      }
      try {
        return await work();
      } finally {
        stopWork = null;
        gate.isOpen = true;
      }
    },
    history: () => kept,
    close,
  };
}
