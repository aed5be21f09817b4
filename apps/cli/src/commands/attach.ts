import { command } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { interruptible } from "../interruptible.ts";
import { outcome, printAnswer, printingOptions } from "../output/answer.ts";
import { note } from "../output/say.ts";

export const attach = command({
  name: "attach",
  summary: "Follows an answer from its beginning, wherever it was asked for; Ctrl-C leaves it to be written",
  takes: "RUN",
  atLeast: 1,
  atMost: 1,
  options: printingOptions,
  async run(context, options, [runId = ""]) {
    const left = new AbortController();
    const signal = AbortSignal.any([left.signal, context.lost]);
    return interruptible(
      async () => left.abort(),
      async (isInterrupted) => {
        const answer = await printAnswer(context, context.parley().chat.follow(runId, { signal }), options);
        if (isInterrupted()) {
          note("The answer is written on");
          return exitCodes.interrupted;
        }
        return outcome(answer, false);
      },
    );
  },
});
