import { DurableObject } from "cloudflare:workers";
import type { AccessChange } from "@parley/core";
import { createBell, type ObjectState, openSleepers, type Sleeper, type Sleepers } from "@parley/platform/workers/runtime";
import type { Bindings } from "../bindings.ts";
import type { EdgeNode } from "../isolate/edge-node.ts";
import { isolateOf } from "../isolate.ts";
import { accessDuties } from "./duties.ts";

export interface AccessMethods {
  /** What changed after a position, as soon as there is something; from now on without one. */
  poll(after: number | null, waitMs: number): Promise<AccessAnswer>;
  /** Ends this socket when its session or its rights do. False when that may have happened since the position. */
  sleep(sleeper: AccessSleeper): Promise<boolean>;
  leave(socket: string): void;
}

interface AccessSleeper {
  sleeper: Sleeper;
  /** Null for whoever sleeps already, and says that it is still there. */
  after: number | null;
}

export interface AccessAnswer {
  changes: AccessChange[];
  head: number;
  /** Something was missed: whoever asks trusts nothing that it has. */
  isGap: boolean;
}

const kept = 1_000;
/** Without anybody who listens, nothing is read. */
const idleMs = 30_000;
/** While sockets sleep somebody has to read for them: an object that was put out is back after so long. */
const watchMs = 3_000;

/** Reads the changes of rights for all who have something open. There are a few of these, not one a socket. */
export class AccessObject extends DurableObject<Bindings> implements AccessMethods {
  #changes: AccessChange[] = [];
  /** The number of the last change. It begins with the time: none is ever given twice. */
  #head = Date.now() * 1_000;
  #node: EdgeNode | undefined;
  /** Those who sleep count too: they are open. */
  #exclude = () => {};
  readonly #bell = createBell();
  readonly #sleepers: Sleepers;
  /** Sessions that listen through a socket that sleeps: their presences are kept here. */
  readonly #listening = new Map<string, () => void>();
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(ctx: ObjectState, env: Bindings) {
    super(ctx, env);
    ctx.storage.sql.exec("create table if not exists place (position text not null)");
    this.#sleepers = openSleepers({
      sql: ctx.storage.sql,
      sockets: env.SOCKETS,
      hold: (work) => ctx.waitUntil(work),
      gone: (socket) => this.#listenNoMore(socket),
    });
  }

  async poll(after: number | null, waitMs: number): Promise<AccessAnswer> {
    await this.#read();
    const isGap = after !== null && this.#isGap(after);
    if (after === this.#head) await this.#bell.next(waitMs);
    const from = after === null || isGap ? this.#head : after;
    return { changes: this.#changesAfter(from), head: this.#head, isGap };
  }

  async sleep({ sleeper, after }: AccessSleeper): Promise<boolean> {
    const node = await this.#read();
    const { access } = node.services;
    const isSure = after === null ? this.#sleepers.has(sleeper.socket) : !this.#isGap(after);
    if (!isSure || access.position() === null) return false;
    if (after !== null && this.#changesAfter(after).some((change) => access.concerns(change, sleeper))) return false;
    this.#sleepers.add(sleeper);
    this.#listenFor(node, sleeper);
    this.#keepPlace(node);
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + watchMs);
    return true;
  }

  leave(socket: string): void {
    this.#sleepers.remove(socket);
  }

  override async alarm(): Promise<void> {
    this.#sleepers.forgetVanished();
    if (this.#sleepers.count === 0) return;
    await this.ctx.storage.setAlarm(Date.now() + watchMs);
    this.#keepPlace(await this.#read());
  }

  #isGap(after: number): boolean {
    return after < this.#head - this.#changes.length || after > this.#head;
  }

  #changesAfter(position: number): AccessChange[] {
    return this.#changes.slice(this.#changes.length - (this.#head - position));
  }

  async #read(): Promise<EdgeNode> {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#rest(), idleMs);
    const { setup, openNode } = await isolateOf(this.env);
    if (this.#node) return this.#node;
    const node = openNode({ hold: (work) => this.ctx.waitUntil(work) });
    // Others of this isolate ask, who may not touch what is stored here.
    this.#exclude = setup.handingOn.include(() => ({
      sockets: this.#sleepers.count,
      subscriptions: this.#listening.size,
    }));
    this.#node = node;
    const { access } = node.services;
    access.onChange((change) => this.#take(node, change));
    const [place] = this.ctx.storage.sql.exec<{ position: string }>("select position from place").toArray();
    if (place && this.#sleepers.count > 0) access.goOnFrom(place.position);
    for (const sleeper of this.#sleepers.all()) this.#listenFor(node, sleeper);
    node.background.begin(accessDuties);
    await node.background.settled();
    return node;
  }

  #take({ services }: EdgeNode, change: AccessChange) {
    this.#changes.push(change);
    this.#head++;
    if (this.#changes.length > kept * 2) this.#changes = this.#changes.slice(-kept);
    this.#bell.ring();
    if (change.kind !== "session_ended" && change.kind !== "rights_changed") return;
    for (const sleeper of this.#sleepers.of(change.userId)) {
      if (services.access.concerns(change, sleeper)) this.#sleepers.wake(sleeper.socket, change.kind);
    }
  }

  /** Whoever comes after this object goes on from here: everybody has been told of what was before. */
  #keepPlace({ services }: EdgeNode) {
    const position = services.access.position();
    if (position === null || this.#sleepers.isWaking) return;
    const { sql } = this.ctx.storage;
    const [before] = sql.exec<{ position: string }>("select position from place").toArray();
    if (before?.position === position) return;
    sql.exec("delete from place");
    sql.exec("insert into place values (?)", position);
  }

  #listenFor({ services }: EdgeNode, { socket, sessionId, isListening }: Sleeper) {
    if (isListening && !this.#listening.has(socket)) this.#listening.set(socket, services.streams.begin(sessionId));
  }

  #listenNoMore(socket: string) {
    this.#listening.get(socket)?.();
    this.#listening.delete(socket);
  }

  #rest(): void {
    const node = this.#node;
    this.#node = undefined;
    this.#exclude();
    this.#changes = [];
    this.#head++;
    if (node) this.ctx.waitUntil(node.close());
  }
}
