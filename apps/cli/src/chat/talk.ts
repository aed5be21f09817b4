import { type Answer, assemble, emptyAnswer, type FollowedEvent } from "@parley/client";
import type { Context } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { toFailure, usage } from "../failure.ts";
import { answerPrinter } from "../output/answer-printer.ts";
import { oneLine } from "../output/clean.ts";
import { describeMessage } from "../output/message.ts";
import { print } from "../output/say.ts";
import { red } from "../output/style.ts";
import type { Reader } from "./reader.ts";

export type Talk = ReturnType<typeof createTalk>;

/** A conversation as it goes on: where it is, who answers, what is being written. */
export function createTalk(context: Context, reader: Reader, chosen: { model?: string }) {
  let { model } = chosen;
  let conversationId: string | undefined;
  const { api, chat } = context.parley();

  function complain(error: unknown) {
    const failure = toFailure(error, context.url);
    // Nothing more can be said to this server.
    if (failure.code === exitCodes.notSignedIn || context.lost.aborted) throw failure;
    print(red(`${oneLine(failure.message)} (${failure.reason})`));
  }

  async function show(events: AsyncIterable<FollowedEvent>, stop: () => Promise<unknown>) {
    const printer = answerPrinter();
    let answer = emptyAnswer;
    try {
      await reader.during(
        () => void stop().catch(() => {}),
        async () => {
          for await (const event of events) {
            answer = assemble(answer, event);
            printer.add(event, answer);
          }
        },
      );
    } finally {
      printer.end();
      const { status, error } = answer;
      if (error) print(red(oneLine(error.message)));
      else if (status === "stopped" || status === "interrupted") print(red(`(${status})`));
    }
    context.lost.throwIfAborted();
  }

  return {
    complain,
    get model() {
      return model;
    },
    choose(next: string) {
      model = next;
    },
    begin() {
      conversationId = undefined;
    },

    async say(content: string) {
      const answer: Answer = chat.ask(content, { conversationId, model, signal: context.lost });
      await show(answer, () => answer.stop());
      conversationId = (await answer.sent).conversationId;
    },

    /** Its last messages, and what is being answered there now. */
    async open(id: string) {
      const { items } = await api.chat.messages.list.query({ conversationId: id, limit: 10 });
      conversationId = id;
      const running = items.find(({ status, runId }) => status === "running" && runId !== null);
      for (const message of items) if (message !== running) print(describeMessage(message));
      if (running?.runId) await follow(running.runId);
    },

    /** The last answer once more, beside the first. */
    async retry() {
      if (conversationId === undefined) throw usage("Nothing has been asked yet");
      const { items } = await api.chat.messages.list.query({ conversationId, limit: 1 });
      const messageId = items[0]?.id ?? "";
      const accepted = await api.chat.regenerate.mutate({ messageId, model });
      if (accepted.answer) await follow(accepted.answer.runId);
    },
  };

  async function follow(runId: string) {
    await show(chat.follow(runId, { signal: context.lost }), () => api.chat.stop.mutate({ runId }));
  }
}
