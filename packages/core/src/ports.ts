import type { Database } from "./database/index.ts";
import type { FeedEntry, Following } from "./feed.ts";
import type { Provider } from "./models/provider.ts";

export type { ModelOverride } from "./models/entries.ts";
export * from "./models/provider.ts";

/** Everything that the domain needs from outside. */
export interface Ports {
  database: Database;
  eventLog: EventLog;
  providers: Provider[];
  passwords: Passwords;
  mailer: Mailer;
  rateLimiter: RateLimiter;
  cache: Cache;
  background: Background;
  clock: Clock;
  ids: Ids;
  log: Log;
}

/** The only source of time. */
export interface Clock {
  now(): Date;
}

/** UUIDv7: sortable by the time they were made, strictly increasing within a process. */
export interface Ids {
  next(): string;
}

/** Work that outlives the call that began it. A failure is logged, never thrown; `settled` waits for what is under way. */
export interface Background {
  run(name: string, work: () => Promise<void>): void;
  every(name: string, milliseconds: number, work: () => Promise<void>): void;
  settled(): Promise<void>;
}

/** Slow hashes off the event loop, a bounded number at a time; too long a queue is refused as `unavailable`. */
export interface Passwords {
  hash(password: string): Promise<string>;
  verify(hash: string, password: string): Promise<boolean>;
  /** Made by another algorithm or with weaker parameters than today's. */
  isOutdated(hash: string): boolean;
}

export interface Letter {
  to: string;
  subject: string;
  text: string;
  html: string;
}

/** Hands a letter to the mail system. Without one, the text goes to the log, so that links can be found there. */
export interface Mailer {
  send(letter: Letter): Promise<void>;
}

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Values that may be forgotten at any time. A value is stored by reference and must not be changed. */
export interface Cache {
  get<Value>(key: string): Promise<Value | undefined>;
  set<Value>(key: string, value: Value, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
}

export interface Limit {
  count: number;
  windowMs: number;
  /** How long a caller stays blocked after going over; without it, until the window ends. */
  blockMs?: number;
}

export interface LimitState {
  allowed: boolean;
  limit: number;
  remaining: number;
  resetMs: number;
}

/** Counts exactly, also under parallel calls. An unreachable store never refuses a caller. */
export interface RateLimiter {
  consume(bucket: string, key: string, limit: Limit, points?: number): Promise<LimitState>;
  /** Gives points back: for what turned out not to count. */
  refund(bucket: string, key: string, limit: Limit, points?: number): Promise<void>;
  /** Forgets what was counted. */
  reset(bucket: string, key: string, limit: Limit): Promise<void>;
}

export interface LogEntry<Event> extends FeedEntry<Event> {
  readonly seq: number;
}

export interface LogSink<Event> {
  /** As a feed's sink: `more` announces another entry at once, false asks for a pause. */
  entry(entry: LogEntry<Event>, more: boolean): boolean;
  /**
   * `finished`: nothing more will come. `gap`: the log no longer covers what comes after the position asked for.
   * `closed`: the log shuts down.
   */
  end(reason: "finished" | "gap" | "closed"): void;
}

/**
 * An ordered log a topic. `follow` hands over what comes after `after`, then what is appended, in order and without
 * a promise in between. The log is the buffer: a sink that answers false keeps a position and continues on `resume`.
 */
export interface EventLog {
  /** A topic with one writer is numbered by it (`at`); otherwise the log numbers. */
  append<Event>(topic: string, event: Event, at?: { seq: number; id: string }): void;
  follow<Event>(topic: string, after: number, sink: LogSink<Event>): Following;
  /** The last sequence number of a topic, to follow it from now on. */
  head(topic: string): Promise<number>;
  /** Nothing more will be appended: the topic may be dropped once late followers have had their time. */
  finish(topic: string): void;
}
