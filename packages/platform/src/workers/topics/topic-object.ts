import { DurableObject } from "cloudflare:workers";
import { createBell } from "../runtime/bell.ts";
import { openSleepers, type SleeperMethods, type Sleepers } from "../runtime/sleepers.ts";
import type { ObjectNamespace, ObjectState, Remote } from "../runtime/types.ts";
import type { Passing, TopicAnswer, TopicBatch, TopicMethods, TopicQuestion, TopicSleeper } from "./topic-protocol.ts";
import { openTopicTable, type TopicTable } from "./topic-table.ts";

/** How long a reader waits for a topic that nobody has written to. */
const patienceMs = 500;
/** Long enough for a reader whose first question is on its way. */
const passingMs = 10_000;
const mostPassing = 200;
const minuteMs = 60_000;
/** A device that comes back within an hour hears what it missed; a run is wanted for minutes. */
const keptMs = { numberedHere: 60 * minuteMs, finished: 15 * minuteMs };
const forgottenMs = 7 * 24 * 60 * minuteMs;

interface Passed extends Passing {
  serial: number;
  cameAt: number;
}

interface TopicBindings {
  SOCKETS: ObjectNamespace<Remote<SleeperMethods>>;
}

/** The log of one run, or of one person. Readers ask, and wait here for what comes; sockets that sleep are woken. */
export class TopicObject extends DurableObject<TopicBindings> implements TopicMethods {
  readonly #table: TopicTable;
  readonly #sleepers: Sleepers;
  readonly #bell = createBell();
  #passing: Passed[] = [];
  #serial = 0;
  #alarmAt: number | null = null;

  constructor(ctx: ObjectState, env: TopicBindings) {
    super(ctx, env);
    this.#sleepers = openSleepers({ sql: ctx.storage.sql, sockets: env.SOCKETS, hold: (work) => ctx.waitUntil(work) });
    this.#table = openTopicTable({
      sql: ctx.storage.sql,
      transactionSync: (work) => ctx.storage.transactionSync(work),
    });
  }

  append({ entries, passing, isFinished }: TopicBatch): void {
    this.#table.append(entries, isFinished);
    const cameAt = Date.now();
    for (const each of passing) this.#passing.push({ ...each, serial: ++this.#serial, cameAt });
    if (passing.length > 0) this.#passing = this.#passing.filter((each) => each.cameAt > cameAt - passingMs).slice(-mostPassing);
    if (entries.length > 0 || isFinished) this.#keep(isFinished ? keptMs.finished : keptMs.numberedHere);
    this.#bell.ring();
    for (const { socket } of this.#sleepers.all()) this.#sleepers.wake(socket);
  }

  sleep({ sleeper, after, passed }: TopicSleeper): boolean {
    if (this.#table.state()?.head !== after || (passed !== null && passed !== this.#serial)) return false;
    this.#sleepers.add(sleeper);
    return true;
  }

  leave(socket: string): void {
    this.#sleepers.remove(socket);
  }

  head(): number {
    this.#keep(keptMs.numberedHere);
    return this.#table.begin().head;
  }

  async poll(question: TopicQuestion): Promise<TopicAnswer> {
    const endsAt = Date.now() + question.waitMs;
    const patienceEndsAt = Math.min(endsAt, Date.now() + patienceMs);
    for (;;) {
      const answer = this.#read(question);
      const now = Date.now();
      if (answer && (answer.isGap || answer.entries.length + answer.passing.length > 0 || answer.isOver)) return answer;
      if (answer ? now >= endsAt : now >= patienceEndsAt) return answer ?? { isGap: true };
      await this.#bell.next((answer ? endsAt : patienceEndsAt) - now);
    }
  }

  /** Entries wait for devices that come back, and numbers longer: none may be given twice. */
  override async alarm(): Promise<void> {
    const state = this.#table.state();
    this.#alarmAt = null;
    this.#sleepers.forgetVanished();
    if (!state || state.isFinished || state.first > state.head) {
      await this.ctx.storage.deleteAll();
      return;
    }
    this.#table.forgetBefore(state.head + 1);
    await this.ctx.storage.setAlarm(Date.now() + forgottenMs);
  }

  /** Null where nobody has begun the topic yet. */
  #read({ after, passed, since }: TopicQuestion): TopicAnswer | null {
    const state = this.#table.state();
    if (!state) return null;
    if (after > state.head || after < state.first - 1) return { isGap: true };
    const entries = this.#table.read(after);
    const last = entries.at(-1)?.seq ?? after;
    const hasAll = last === state.head;
    // What passes comes after what is kept.
    const isNews = (each: Passed) => (passed === null ? each.at >= since : each.serial > passed);
    const passing = hasAll ? this.#passing.filter(isNews).map(({ id, at, event }) => ({ id, at, event })) : [];
    return { isGap: false, entries, passing, passed: this.#serial, isOver: hasAll && state.isFinished };
  }

  /** Not set anew with every entry: one that comes too early only looks. */
  #keep(milliseconds: number): void {
    const at = Date.now() + milliseconds;
    if (this.#alarmAt !== null && Math.abs(at - this.#alarmAt) < minuteMs) return;
    this.#alarmAt = at;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(at));
  }
}
