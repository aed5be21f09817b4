import type { Answer } from "@parley/client";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { usage } from "../failure.ts";
import { isPiped, readStdin } from "../input/stdin.ts";
import { interruptible } from "../interruptible.ts";
import { outcome, printAnswer, printingOptions } from "../output/answer.ts";
import { note, tell } from "../output/say.ts";

export const ask = command({
  name: "ask",
  summary: "Asks, and prints the answer while it is written",
  takes: "[TEXT | -]",
  options: {
    model: { type: "string", short: "m", value: "MODEL", help: "Who answers: see `parley models`" },
    system: { type: "string", short: "s", value: "TEXT", help: "What the model is told beforehand, in a new conversation" },
    conversation: { type: "string", value: "ID", help: "Goes on with this conversation" },
    continue: { type: "boolean", short: "c", help: "Goes on with your last conversation" },
    ...printingOptions,
    detach: { type: "boolean", short: "d", help: "Prints the run's id and leaves: `parley attach` follows it" },
  },
  async run(context, options, words) {
    const { model, detach: isDetached = false } = options;
    const content = await readQuestion(words);
    const conversationId = await conversationOf(context, options);
    const answer = context.parley().chat.ask(content, { conversationId, model, signal: context.lost });
    if (isDetached) return detach(context, answer);
    return interruptible(
      () => answer.stop(),
      async (isInterrupted) => {
        const done = await printAnswer(context, answer, options);
        note(`${done.model?.model ?? ""} · conversation ${done.conversationId}`);
        return outcome(done, isInterrupted());
      },
    );
  },
});

async function detach(context: Context, answer: Answer) {
  const { conversationId, answer: accepted } = await answer.sent;
  const run = { runId: accepted?.runId ?? "", conversationId, messageId: accepted?.messageId ?? "" };
  tell(context, run, run.runId);
  return exitCodes.ok;
}

/** The words, what is piped, or both. */
async function readQuestion(words: string[]): Promise<string> {
  const isNamed = words.includes("-");
  const given = words.filter((word) => word !== "-").join(" ");
  const piped = isNamed || isPiped() || (given === "" && !process.stdin.isTTY) ? await readStdin() : "";
  const content = [given, piped].filter((part) => part.trim() !== "").join("\n\n");
  if (content === "") throw usage("`parley ask` takes a question, as an argument or from a pipe");
  return content;
}

interface Where {
  conversation?: string;
  continue?: boolean;
  system?: string;
  model?: string;
}

async function conversationOf(
  context: Context,
  { conversation, continue: isContinued = false, system, model }: Where,
): Promise<string | undefined> {
  if ([conversation !== undefined, isContinued, system !== undefined].filter(Boolean).length > 1) {
    throw usage("--conversation, --continue and --system exclude each other");
  }
  const { conversations } = context.parley().api.chat;
  if (isContinued) {
    const { items } = await conversations.list.query({ limit: 1 });
    if (!items[0]) throw usage("There is no conversation to go on with");
    return items[0].id;
  }
  if (system === undefined) return conversation;
  return (await conversations.create.mutate({ systemPrompt: system, model })).id;
}
