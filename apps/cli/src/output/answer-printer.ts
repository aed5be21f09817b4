import { type AssembledAnswer, assemble, emptyAnswer, type FollowedEvent } from "@parley/client";
import { forTerminal } from "./clean.ts";
import { markdownWriter } from "./markdown.ts";
import { note } from "./say.ts";
import { hasColour } from "./style.ts";

/** Prints an answer while it is written: as it is on a pipe, with its markdown drawn on a terminal. */
export function answerPrinter(write: (text: string) => void = (text) => process.stdout.write(text)) {
  const isTerminal = process.stdout.isTTY === true;
  const shown = isTerminal && hasColour() ? markdownWriter(write) : { add: write, end() {} };
  let answer = emptyAnswer;
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
    add(event: FollowedEvent) {
      answer = assemble(answer, event);
      if (event.type === "tool-call") note(`· ${forTerminal(event.name)}`);
      if (answer.text.length < printed) {
        // What has left a pipe cannot be taken back: it is said, at least.
        finishLine();
        const taken = printed - answer.text.length;
        const begun = event.type === "failover" ? `${event.to.model} begins anew` : "they were never saved";
        process.stderr.write(`parley: the last ${taken} characters do not count: ${begun}\n`);
      }
      printed = Math.min(printed, answer.text.length);
      put(answer.text.slice(printed));
      printed = answer.text.length;
    },
    /** Ends the line that the answer is on. */
    end(): AssembledAnswer {
      finishLine();
      return answer;
    },
  };
}
