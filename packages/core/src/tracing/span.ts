export type Attributes = Record<string, string | number | boolean | readonly string[]>;

export interface SpanStart {
  /** `server`: somebody calls us; `client`: we call somebody. */
  kind: "server" | "client" | "internal";
  attributes?: Attributes;
}

export interface PastStep extends SpanStart {
  /** As `performance.now()` told it. It ends now. */
  startedAt: number;
  /** Null for what went well; otherwise a word for what did not. */
  failure: string | null;
}

/** By this a step is gone on with in another process of ours. */
export interface SpanOrigin {
  readonly traceId: string;
  readonly id: string;
  /** The exporters that are told of it: who is drawn once a trace is not drawn again. */
  readonly takers: readonly string[];
}

/**
 * One step of a trace. What is told of it are names, ids and numbers: nothing that anybody wrote, no secret, and no message of
 * an error, which may quote either.
 */
export interface Span extends SpanOrigin {
  readonly isOver: boolean;
  child(name: string, start: SpanStart): Span;
  /** A child that goes on after its parent, and has children of its own. */
  branch(name: string, start: SpanStart): Span;
  /** A child that is over already. Once the span itself is over, nothing more is noted: a subscription may live for days. */
  past(name: string, step: PastStep): void;
  set(attributes: Attributes): void;
  /** What happened so many milliseconds after the beginning; without them, now. */
  event(name: string, afterMs?: number): void;
  /** A word for what went wrong. */
  fail(what: string): void;
  end(): void;
}

/** What has become of spans: `sent`, or given up because too many waited (`dropped`) or nobody took them (`failed`). */
export interface SpanTotals {
  sent: number;
  dropped: number;
  failed: number;
}

/** Begins traces. Where nobody wants them there is no tracer. */
export interface Tracer {
  /** Null for one that is not taken. `caller` is its W3C `traceparent`, as it came. */
  start(name: string, start: SpanStart & { caller: string | null }): Span | null;
  /** Below a step of another process of ours; null where nobody here is told of it. */
  goOn(name: string, start: SpanStart, from: SpanOrigin): Span | null;
  /** Of each exporter, since the process began. */
  totals(): readonly { exporter: string; totals: Readonly<SpanTotals> }[];
}
