import type { SendAccepted } from "@parley/contract";
import { storedForm } from "./answer-plan.ts";
import type { Follower } from "./follower.ts";
import { type Line, openLine } from "./line.ts";
import type { Node } from "./node.ts";
import type { Play } from "./stage.ts";
import { mutate } from "./wire.ts";
import type { Person } from "./world.ts";

interface Cast {
  index: number;
  owner: Person;
  /** What the other person's answers carry. */
  forbidden: readonly string[];
  play: Play;
  complain: (what: string) => void;
}

/** One question, its answer and its readers, and what is known of them so far. */
export class ActedRun {
  readonly index: number;
  readonly owner: Person;
  readonly forbidden: readonly string[];
  readonly play: Play;
  readonly followers: (Follower | undefined)[] = [];
  accepted: SendAccepted | null = null;
  /** It was stopped, and that was acknowledged. */
  isStopped = false;
  /** Somebody has asked for it, whether an answer came or not. */
  mayBeStopped = false;
  /** Its process died, or was taken for dead: it may end as interrupted, with less text than some have seen. */
  mayBeInterrupted = false;
  /** Since when a device of its owner had been following all that happens; null for not yet. */
  listenedSince: number | null = null;
  /** Somebody else has taken it over: what its writer saves from then on is not kept. */
  isFenced = false;
  /** So much of its text was saved when a checkpoint had come back. */
  savedLength = 0;
  readonly #writers = new Set<string>();
  readonly #line: Line;
  readonly #complain: (what: string) => void;

  private constructor({ index, owner, forbidden, play, complain }: Cast, line: Line) {
    this.index = index;
    this.owner = owner;
    this.forbidden = forbidden;
    this.play = play;
    this.#line = line;
    this.#complain = (what) => complain(`run ${index}: ${what}`);
  }

  static async open(cast: Cast): Promise<ActedRun> {
    return new ActedRun(cast, await openLine());
  }

  get runId(): string | null {
    return this.accepted?.answer?.runId ?? null;
  }

  mayBeWrittenBy(node: Node): boolean {
    return this.#writers.has(node.name);
  }

  async send(node: Node, cutAfter: number | null): Promise<void> {
    const { question, attempts, mayFailOver } = this.play.plan;
    const [first, ...others] = attempts;
    if (!this.accepted) this.#writers.add(node.name);
    const sent = await this.#call<SendAccepted>(node, cutAfter, "chat.send", {
      clientMessageId: question,
      content: question,
      model: first.model,
      fallbacks: others.map(({ model }) => model),
      failover: mayFailOver,
    });
    if (sent) this.#accept(sent);
    else if (!this.accepted) this.mayBeInterrupted = true;
  }

  async stop(node: Node): Promise<void> {
    const { runId } = this;
    if (runId === null) return;
    this.mayBeStopped = true;
    if (await this.#call(node, null, "chat.stop", { runId })) this.isStopped = true;
  }

  /** What a checkpoint of this node that begins now will have saved at least. */
  saidAt(node: Node): number {
    const call = this.play.calls.at(-1);
    if (call?.node !== node.name || this.isFenced) return 0;
    const text = storedForm(call.said, "text");
    return text.endsWith("\ufffd") ? text.length - 1 : text.length;
  }

  close() {
    for (const follower of this.followers) follower?.close();
    this.#line.close();
  }

  async #call<Output>(node: Node, cutAfter: number | null, path: string, input: object): Promise<Output | null> {
    this.#line.lead(() => node.connect());
    this.#line.cutNextAfter(cutAfter);
    const done = await mutate<Output>({ port: this.#line.port, token: this.owner.token }, path, input);
    if ("output" in done) return done.output;
    const { refusal } = done;
    if (refusal !== "lost" && refusal.reason !== "unavailable") {
      this.#complain(`${path} was refused: ${refusal.reason}, ${refusal.message}`);
    }
    return null;
  }

  #accept(sent: SendAccepted) {
    const { accepted } = this;
    if (!accepted) this.accepted = sent;
    else if (accepted.message.id !== sent.message.id || accepted.answer?.runId !== sent.answer?.runId) {
      this.#complain("the same message sent again was accepted as another one");
    }
  }
}
