import type { Attributes, SpanStart, SpanTotals } from "@parley/core/ports";
import type { Caller } from "./trace-ids.ts";

/** A step of a trace as exporters get it. Times are milliseconds since 1970, with fractions. */
export interface FinishedSpan {
  traceId: string;
  id: string;
  parentId: string | null;
  /** The parent is another process's. */
  isRemotelyCalled: boolean;
  /** The topmost span of what goes on together: a call, a run, a task. */
  segmentId: string;
  name: string;
  kind: SpanStart["kind"];
  startMs: number;
  endMs: number;
  attributes: Attributes;
  events: readonly { name: string; atMs: number }[];
  /** Null for what went well. */
  failure: string | null;
}

export interface SpanExporter {
  readonly name: string;
  readonly totals: Readonly<SpanTotals>;
  /** Asked once a trace, before anything is written down. */
  wants(traceId: string, caller: Caller | null): boolean;
  /** Returns at once, and never throws. */
  add(span: FinishedSpan): void;
  /** Hands on what waits, as far as that goes in the time. */
  close(milliseconds: number): Promise<void>;
}
