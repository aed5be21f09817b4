import { type Line, openLine } from "./line.ts";
import type { Node } from "./node.ts";
import { type By, type Refusal, type Subscription, subscribe } from "./wire.ts";

interface Subscribed {
  path: "chat.follow" | "chat.live";
  token: string;
  /** What the other person's answers carry: never to be seen here. */
  forbidden: readonly string[];
  event(id: string, data: unknown): void;
  /** The server said that nothing more will come. */
  finished(): void;
  complain(what: string): void;
}

export interface Way {
  node: Node;
  by: By;
  cutAfter?: number | null;
}

export interface Patience {
  within: number;
  /** What a server does now and then, done now. */
  meanwhile: () => Promise<unknown>;
}

const nudgeMs = 20;

/** One reader's way to the server, over a line that can break and stall: one connection at a time, to whichever node. */
export class Connection {
  readonly #subscribed: Subscribed;
  readonly #line: Line;
  #subscription: Subscription | null = null;
  #number = 0;
  #changed = () => {};

  private constructor(subscribed: Subscribed, line: Line) {
    this.#subscribed = subscribed;
    this.#line = line;
  }

  static async open(subscribed: Subscribed): Promise<Connection> {
    return new Connection(subscribed, await openLine());
  }

  get isOpen(): boolean {
    return this.#subscription !== null;
  }

  /** From now on, whatever there was before. */
  connect({ node, by, cutAfter = null }: Way, input: object) {
    this.drop();
    const { path, token, forbidden, event, finished, complain } = this.#subscribed;
    this.#line.flow();
    this.#line.lead(() => node.connect());
    this.#line.cutNextAfter(cutAfter);
    const number = ++this.#number;
    const isCurrent = () => number === this.#number;
    this.#subscription = subscribe(
      by,
      { port: this.#line.port, token },
      { path, input },
      {
        raw(text) {
          for (const mark of forbidden) if (text.includes(mark)) complain(`reads ${mark}, which is somebody else's`);
        },
        event: (id, data) => {
          if (!isCurrent()) return;
          event(id, data);
          this.#changed();
        },
        over: (refusal) => {
          if (!isCurrent()) return;
          this.#subscription = null;
          if (refusal === null) finished();
          else if (isRefused(refusal)) complain(`was refused: ${refusal.reason}, ${refusal.message}`);
          this.#changed();
        },
      },
    );
  }

  drop() {
    this.#number++;
    this.#subscription?.close();
    this.#subscription = null;
    this.#line.drop();
  }

  stall() {
    this.#line.stall();
  }

  flow() {
    this.#line.flow();
  }

  /** Until this holds. False when it takes too long. */
  async until(holds: () => boolean, { within, meanwhile }: Patience): Promise<boolean> {
    for (const end = Date.now() + within; !holds(); ) {
      if (Date.now() > end) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, nudgeMs);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (!holds()) await meanwhile();
    }
    return true;
  }

  close() {
    this.drop();
    this.#line.close();
  }
}

function isRefused(refusal: Refusal | "lost"): refusal is Refusal {
  return refusal !== "lost" && refusal.reason !== "unavailable";
}
