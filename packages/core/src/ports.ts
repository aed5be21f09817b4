import type { Alert } from "@parley/contract";
import type { Database } from "./database/index.ts";
import type { FeedEntry, Following } from "./feed.ts";
import type { Provider } from "./models/provider.ts";
import type { Span, Tracer } from "./tracing/span.ts";

export { AlertChannelError } from "./alerts/channel-error.ts";
export { type BodySink, type FollowedBody, followBody } from "./body.ts";
export { causesOf, codeOf, ownCodeOf } from "./causes.ts";
export type { ModelOverride } from "./models/entries.ts";
export * from "./models/provider.ts";
export { hasOneWriter } from "./topics.ts";
export type { Attributes, PastStep, Span, SpanOrigin, SpanStart, SpanTotals, Tracer } from "./tracing/span.ts";

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
  scopes: Scopes;
  system: System;
  dependencies: Dependency[];
  channels: AlertChannel[];
  /** Null where nothing is traced. */
  tracer: Tracer | null;
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
  /** `atOnce`: and a first time now. */
  every(name: string, milliseconds: number, work: () => Promise<void>, options?: { atOnce?: boolean }): void;
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

/** What belongs to one call, wherever its work goes on. */
export interface Scope {
  /** Waited for, one statement after the other or several at once. */
  databaseMs: number;
  vendorMs: number;
  /** What is done in this scope is told below it; null where nobody is told. */
  readonly span: Span | null;
}

/** Work that is begun within a scope stays in it, across promises and timers. */
export interface Scopes {
  run<Result>(scope: Scope, work: () => Result): Result;
  current(): Scope | undefined;
}

/** Null is what this runtime does not tell. Sizes are in bytes, shares from 0 to 1. */
export interface SystemReading {
  memory: {
    resident: number | null;
    heapUsed: number | null;
    heapLimit: number | null;
    /** Of the machine, or of the container that we are in. */
    machineUsed: number | null;
    machineTotal: number | null;
  };
  /** Since the reading before: of one core for the process, of all of them for the machine. */
  cpu: { process: number | null; machine: number | null };
  loadAverage: number | null;
  /** How late the event loop was, since the reading before. */
  delayMs: { p50: number; p99: number; max: number } | null;
  /** Where the data is kept. */
  disk: { free: number; total: number } | null;
}

/** What is cheap enough to be read at any time. */
export interface ProcessUsage {
  /** Since the process began; null is what this runtime does not tell. */
  cpuSeconds: number | null;
  memory: Pick<SystemReading["memory"], "resident" | "heapUsed" | "heapLimit"> & { heapTotal: number | null };
}

/** The process and the machine that it is on. */
export interface System {
  /** By this name a node is told from others; it is the same after a restart. */
  readonly node: string;
  readonly platform: { runtime: string; os: string; cores: number };
  readonly startedAt: Date;
  /** Begins a new stretch for what is told since the reading before: for whoever reads at intervals. */
  read(): Promise<SystemReading>;
  /** For anybody, at any time. */
  readRoom(): Promise<Pick<SystemReading, "memory" | "disk">>;
  usage(): ProcessUsage;
}

/** A service beside us that can be away. The domain adds the event log, which nodes share, to those that it is given. */
export interface Dependency {
  readonly name: "database" | "redis" | "eventLog";
  /** Without it nothing works. */
  readonly isNeeded: boolean;
  ping(): Promise<void>;
  /** Of a database: every migration that this version brings has been applied. */
  isMigrated?(): Promise<boolean>;
}

export interface AlertNotice {
  /** The same at every try. */
  id: string;
  /** `test`: an operator wants to see one arrive. */
  state: "opened" | "resolved" | "test";
  alert: Alert;
}

/** Somebody outside who is told of alerts. Throws an `AlertChannelError` when it was not taken. */
export interface AlertChannel {
  readonly name: "webhook" | "slack" | "discord" | "mail";
  send(notice: AlertNotice): Promise<void>;
}

/**
 * What nodes share for a while, dates and all. It may be forgotten at any time. A store that is away or slow has nothing, fails
 * nobody, and is waited for briefly.
 */
export interface Cache {
  /** By several nodes; otherwise it is this process's own. */
  readonly isShared: boolean;
  /** It cannot be asked now. */
  isAway(): boolean;
  /** Undefined for what is not there. A value may be had by reference, and must not be changed. */
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  /** For one of all who ask, until it is deleted or its time is over. Whoever cannot ask has it too. */
  claim(key: string, ttlMs: number): Promise<boolean>;
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
  /** A topic that `hasOneWriter` is numbered by it (`at`); otherwise the log numbers. */
  append<Event>(topic: string, event: Event, at?: { seq: number; id: string }): void;
  /** To whoever follows the topic now, on any node, with the id of the last entry that they have had. It is kept nowhere. */
  broadcast<Event>(topic: string, event: Event): void;
  follow<Event>(topic: string, after: number, sink: LogSink<Event>): Following;
  /** The last sequence number of a topic, to follow it from now on. */
  head(topic: string): Promise<number>;
  /** Nothing more will be appended: the topic may be dropped once late followers have had their time. */
  finish(topic: string): void;
  /** Throws while the store that nodes share is away. */
  ping(): Promise<void>;
}
