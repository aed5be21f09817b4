import type { Attributes, PastStep, Span, SpanStart, Tracer } from "@parley/core/ports";
import type { FinishedSpan, SpanExporter } from "./finished-span.ts";
import { newSpanId, newTraceId, readTraceparent } from "./trace-ids.ts";

/** Whatever loops: so many steps that are over, below one span. */
const mostPast = 200;

/** What several spans of a trace have in common in this process. */
interface Trace {
  id: string;
  /** Added to `performance.now()`. Kept, so that a clock that is set meanwhile moves no span. */
  epochMs: number;
  exporters: readonly SpanExporter[];
}

interface Place {
  parentId: string | null;
  isRemotelyCalled: boolean;
  /** Null for the topmost of a segment. */
  segmentId: string | null;
}

/** Traces for whoever exports them. What a trace is not wanted for costs one draw. */
export function createTracer(exporters: readonly SpanExporter[]): Tracer {
  return {
    start(name, { caller: header, ...start }) {
      const caller = header === null ? null : readTraceparent(header);
      const id = caller?.traceId ?? newTraceId();
      const wanting = exporters.filter((exporter) => exporter.wants(id, caller));
      if (wanting.length === 0) return null;
      const trace = newTrace(id, wanting);
      const place = { parentId: caller?.spanId ?? null, isRemotelyCalled: caller !== null, segmentId: null };
      return new OpenSpan(trace, place, { name, ...start });
    },
    goOn(name, start, { traceId, id, takers }) {
      const taking = exporters.filter((exporter) => takers.includes(exporter.name));
      if (taking.length === 0) return null;
      const place = { parentId: id, isRemotelyCalled: true, segmentId: null };
      return new OpenSpan(newTrace(traceId, taking), place, { name, ...start });
    },
    totals: () => exporters.map(({ name, totals }) => ({ exporter: name, totals })),
  };
}

const newTrace = (id: string, exporters: readonly SpanExporter[]): Trace => ({
  id,
  epochMs: Date.now() - performance.now(),
  exporters,
});

class OpenSpan implements Span {
  readonly id = newSpanId();
  isOver = false;
  readonly #trace: Trace;
  readonly #place: Place;
  readonly #start: SpanStart & { name: string };
  readonly #startedAt = performance.now();
  readonly #attributes: Attributes;
  readonly #events: { name: string; atMs: number }[] = [];
  #failure: string | null = null;
  #past = 0;

  constructor(trace: Trace, place: Place, start: SpanStart & { name: string }) {
    this.#trace = trace;
    this.#place = place;
    this.#start = start;
    this.#attributes = { ...start.attributes };
  }

  get traceId(): string {
    return this.#trace.id;
  }

  get takers(): string[] {
    return this.#trace.exporters.map(({ name }) => name);
  }

  child(name: string, start: SpanStart): Span {
    return new OpenSpan(this.#trace, this.#below(this.#segmentId), { name, ...start });
  }

  branch(name: string, start: SpanStart): Span {
    return new OpenSpan(this.#trace, this.#below(null), { name, ...start });
  }

  past(name: string, { kind, attributes = {}, startedAt, failure }: PastStep): void {
    if (this.isOver || ++this.#past > mostPast) return;
    const place = { ...this.#below(this.#segmentId), segmentId: this.#segmentId };
    this.#hand({ id: newSpanId(), ...place, name, kind, attributes, events: [], failure }, startedAt);
  }

  set(attributes: Attributes): void {
    Object.assign(this.#attributes, attributes);
  }

  event(name: string, afterMs = performance.now() - this.#startedAt): void {
    this.#events.push({ name, atMs: this.#trace.epochMs + this.#startedAt + afterMs });
  }

  fail(what: string): void {
    this.#failure = what;
  }

  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    if (this.#past > mostPast) this.set({ "parley.steps.left_out": this.#past - mostPast });
    const { parentId, isRemotelyCalled } = this.#place;
    const { name, kind } = this.#start;
    const place = { parentId, isRemotelyCalled, segmentId: this.#segmentId };
    this.#hand(
      { id: this.id, ...place, name, kind, attributes: this.#attributes, events: this.#events, failure: this.#failure },
      this.#startedAt,
    );
  }

  get #segmentId(): string {
    return this.#place.segmentId ?? this.id;
  }

  #below(segmentId: string | null): Place {
    return { parentId: this.id, isRemotelyCalled: false, segmentId };
  }

  #hand(span: Omit<FinishedSpan, "traceId" | "startMs" | "endMs">, startedAt: number): void {
    const { id, epochMs, exporters } = this.#trace;
    const finished: FinishedSpan = { traceId: id, startMs: epochMs + startedAt, endMs: epochMs + performance.now(), ...span };
    if (finished.failure !== null) finished.attributes = { ...finished.attributes, "error.type": finished.failure };
    for (const exporter of exporters) exporter.add(finished);
  }
}
