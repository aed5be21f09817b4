import { command } from "../command.ts";
import { tell } from "../output/say.ts";

export const stop = command({
  name: "stop",
  summary: "Stops an answer, for everybody who follows it",
  takes: "RUN",
  atLeast: 1,
  atMost: 1,
  async run(context, _options, [runId = ""]) {
    await context.parley().api.chat.stop.mutate({ runId });
    tell(context, { runId }, `Stopped ${runId}`);
  },
});
