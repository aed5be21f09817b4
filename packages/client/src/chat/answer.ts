import type { ParleyOutputs } from "../shapes.ts";
import { type AssembledAnswer, assemble, emptyAnswer } from "./assemble.ts";
import type { FollowedEvent, FollowOptions } from "./follow.ts";
import type { SendOptions } from "./send.ts";

type SendAccepted = ParleyOutputs["chat"]["send"];

/**
 * What a question may come with: the conversation that it belongs to, a model, a temperature …
 *
 * @example
 * ```ts
 * const options: AskOptions = { conversationId, model: "claude-sonnet-4-5", temperature: 0.2 };
 * ```
 */
export type AskOptions = Omit<SendOptions, "answer">;

/**
 * An answer on its way. Loop over it for its events, as often as you like: each loop begins at the beginning.
 *
 * @example
 * ```ts
 * const answer = parley.chat.ask("Why is the sky blue?");
 * for await (const event of answer) if (event.type === "text-delta") process.stdout.write(event.text);
 * console.log(await answer.text);
 * ```
 */
export interface Answer extends AsyncIterable<FollowedEvent> {
  /** The question as it was accepted: its message, its conversation, the run. */
  readonly sent: Promise<SendAccepted>;
  /**
   * The whole text. Rejects where there is none: the answer has failed before its first word, you no longer follow it, or the
   * question was refused.
   */
  readonly text: Promise<string>;
  /** The whole answer, whatever became of it; as far as it had come where you no longer follow it. */
  readonly done: Promise<AssembledAnswer>;
  /** As far as it has come. */
  readonly current: AssembledAnswer;
  /** Ends it, here and for everybody, with the text that it has. */
  stop(): Promise<void>;
}

/**
 * Why an answer has no text.
 *
 * @example
 * ```ts
 * const text = await answer.text.catch((error) => (error instanceof AnswerError ? error.answer.error?.message : null));
 * ```
 */
export class AnswerError extends Error {
  readonly answer: AssembledAnswer;
  constructor(answer: AssembledAnswer) {
    super(answer.error?.message ?? describe(answer));
    this.name = "AnswerError";
    this.answer = answer;
  }
}

const describe = ({ status }: AssembledAnswer) =>
  status === "running" ? "The answer is no longer followed" : `The answer was ${status} before its first word`;

interface Calls {
  send(content: string, options: SendOptions): Promise<SendAccepted>;
  stop(runId: string): Promise<unknown>;
  follow(runId: string, options?: FollowOptions): AsyncIterable<FollowedEvent>;
}

export function ask(calls: Calls, content: string, options: AskOptions = {}): Answer {
  const events: FollowedEvent[] = [];
  let current = emptyAnswer;
  let isOver = false;
  let wake = () => {};
  let more = nextWake();
  const { signal } = options;
  const sent = calls.send(content, options);
  const done = follow();
  const text = done.then((answer) => {
    if (answer.status === "running" || (answer.text === "" && answer.status !== "completed")) throw new AnswerError(answer);
    return answer.text;
  });
  // Whoever wants only one of them must not hear of the others as unhandled rejections.
  for (const promise of [sent, done, text]) promise.catch(() => {});

  function nextWake() {
    return new Promise<void>((resolve) => {
      wake = resolve;
    });
  }

  function heard() {
    wake();
    more = nextWake();
  }

  async function follow(): Promise<AssembledAnswer> {
    try {
      const { answer } = await sent;
      if (!answer) throw new Error("There is no answer");
      for await (const event of calls.follow(answer.runId, { signal })) {
        events.push(event);
        current = assemble(current, event);
        heard();
      }
      return current;
    } finally {
      isOver = true;
      wake();
    }
  }

  return {
    sent,
    text,
    done,
    get current() {
      return current;
    },
    async stop() {
      const { answer } = await sent;
      if (answer) await calls.stop(answer.runId);
    },
    async *[Symbol.asyncIterator]() {
      let place = 0;
      for (;;) {
        for (let event = events[place]; event; event = events[++place]) yield event;
        if (isOver) break;
        await more;
      }
      await done;
    },
  };
}
