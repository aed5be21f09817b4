import { DurableObject } from "cloudflare:workers";
import type { Regenerate, SendAccepted, SendMessage } from "@parley/contract";
import type { Actor } from "@parley/core";
import type { SpanOrigin } from "@parley/core/ports";
import type { Bindings } from "../bindings.ts";
import type { EdgeNode } from "../isolate/edge-node.ts";
import type { Outcome, OwnTurns } from "../isolate/remote-turns.ts";
import { isolateOf } from "../isolate.ts";
import { writerDuties } from "./duties.ts";

type Accepted = Outcome<SendAccepted>;

export interface RunMethods {
  send(actor: Actor, input: SendMessage, call: SpanOrigin | null): Promise<Accepted>;
  regenerate(actor: Actor, input: Regenerate, call: SpanOrigin | null): Promise<Accepted>;
}

/** An object with a run is looked after so often: one that was put out is found by the same alarm. */
const watchMs = 15_000;
const mostReaps = 8;

/** One run, from the message that asks for it to its end. It belongs to no connection. */
export class RunObject extends DurableObject<Bindings> implements RunMethods {
  #node: EdgeNode | undefined;
  #exclude = () => {};
  #reaps = 0;

  send(actor: Actor, input: SendMessage, call: SpanOrigin | null): Promise<Accepted> {
    return this.#accept(call, (turns) => turns.send(actor, input));
  }

  regenerate(actor: Actor, input: Regenerate, call: SpanOrigin | null): Promise<Accepted> {
    return this.#accept(call, (turns) => turns.regenerate(actor, input));
  }

  /** With nothing to be found in memory, another instance had the run, and was put out in the middle of it. */
  override async alarm(): Promise<void> {
    if (this.#node) return this.ctx.storage.setAlarm(Date.now() + watchMs);
    const node = await this.#open();
    await node.background.perform("reap");
    await this.#close();
    if (++this.#reaps < mostReaps) await this.ctx.storage.setAlarm(Date.now() + watchMs / 3);
  }

  async #accept(call: SpanOrigin | null, take: (turns: OwnTurns) => Promise<Accepted>): Promise<Accepted> {
    const { tracer, scopes } = (await isolateOf(this.env)).setup;
    const node = await this.#open();
    const span = (call && tracer?.goOn("turn", { kind: "internal" }, call)) ?? null;
    await node.ready();
    await this.ctx.storage.setAlarm(Date.now() + watchMs);
    const outcome = await scopes.run({ databaseMs: 0, vendorMs: 0, span }, () => take(node.ownTurns));
    span?.end();
    // Whoever follows next finds the run there.
    await node.delivered();
    void this.#finish(node);
    return outcome;
  }

  async #finish(node: EdgeNode): Promise<void> {
    await node.services.runs.settled();
    await this.#close();
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  async #open(): Promise<EdgeNode> {
    const { setup, openNode } = await isolateOf(this.env);
    if (this.#node) return this.#node;
    const node = openNode({ hold: (work) => this.ctx.waitUntil(work) });
    this.#node = node;
    this.#exclude = setup.handingOn.include(() => ({ runs_active: node.services.runs.count() }));
    node.background.begin(writerDuties);
    return node;
  }

  async #close(): Promise<void> {
    const node = this.#node;
    this.#node = undefined;
    this.#exclude();
    await node?.close();
  }
}
