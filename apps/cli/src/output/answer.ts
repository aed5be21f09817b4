import { type AssembledAnswer, assemble, emptyAnswer, type FollowedEvent } from "@parley/client";
import type { Options, Values } from "../command.ts";
import type { Context } from "../context.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { answerPrinter } from "./answer-printer.ts";
import { printJson, printText } from "./say.ts";

export const printingOptions = {
  "no-stream": { type: "boolean", help: "Prints the answer once it is whole" },
  events: { type: "boolean", help: "Prints each event as a line of JSON" },
} as const satisfies Options;

/** While it is written, event by event, or once it is whole; what there is of it comes back. */
export async function printAnswer(
  context: Context,
  events: AsyncIterable<FollowedEvent>,
  { "no-stream": isWhole = false, events: isEvents = false }: Values<typeof printingOptions>,
): Promise<AssembledAnswer> {
  const printer = context.json || isWhole || isEvents ? null : answerPrinter();
  let answer = emptyAnswer;
  for await (const event of events) {
    answer = assemble(answer, event);
    if (isEvents) printJson(event);
    else printer?.add(event, answer);
  }
  printer?.end();
  context.lost.throwIfAborted();
  // It runs on where it was left before its end.
  if (!printer && !isEvents && answer.status !== "running") printWhole(context, answer);
  return answer;
}

/** What `--json` prints of an answer. */
function answerJson({ receipt, ...answer }: AssembledAnswer) {
  return { ...answer, usage: receipt?.total.tokens ?? null, costMicros: receipt?.total.costMicros ?? null };
}

function printWhole({ json }: Context, answer: AssembledAnswer): void {
  if (json) printJson(answerJson(answer));
  else if (answer.text !== "") printText(answer.text);
}

/** What became of it, for scripts; how it ended is said where it did not end by itself. */
export function outcome({ status, text, error }: AssembledAnswer, isInterrupted: boolean): ExitCode {
  if (isInterrupted) return exitCodes.interrupted;
  if (status === "completed") return exitCodes.ok;
  const message = error?.message ?? (status === "stopped" ? "The answer was stopped" : "The answer broke off");
  throw new Failure(text === "" ? exitCodes.refused : exitCodes.cutShort, error?.reason ?? status, message);
}
