import type { AssembledAnswer, FollowedEvent } from "@parley/client";
import { forTerminal } from "./clean.ts";
import { markdownWriter } from "./markdown.ts";
import { note } from "./say.ts";
import { hasColour } from "./style.ts";

/** Prints an answer while it is written: as it is on a pipe, with its markdown drawn on a terminal. */
export function answerPrinter(write: (text: string) => void = (text) => process.stdout.write(text)) {
  const isTerminal = process.stdout.isTTY === true;
  const shown = isTerminal && hasColour() ? markdownWriter(write) : { add: write, end() {} };
  let printed = 0;
  let last = "\n";

  function put(text: string) {
    if (text === "") return;
    last = text.at(-1) ?? last;
    shown.add(isTerminal ? forTerminal(text) : text);
  }

  function finishLine() {
    shown.end();
    if (last !== "\n") write("\n");
    last = "\n";
  }

  return {
    /** What has come, and what there is of the answer with it. */
    add(event: FollowedEvent, { text }: AssembledAnswer) {
      if (event.type === "tool-call") note(`· ${forTerminal(event.name)}`);
      if (text.length < printed) {
        // What has left a pipe cannot be taken back: it is said, at least.
        finishLine();
        const taken = printed - text.length;
        const begun = event.type === "failover" ? `${event.to.model} begins anew` : "they were never saved";
        process.stderr.write(`parley: the last ${taken} characters do not count: ${begun}\n`);
      }
      printed = Math.min(printed, text.length);
      put(text.slice(printed));
      printed = text.length;
    },
    /** Ends the line that the answer is on. */
    end: finishLine,
  };
}
