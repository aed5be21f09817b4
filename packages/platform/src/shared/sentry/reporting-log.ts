import type { Log, Scopes, Span } from "@parley/core/ports";

export interface Report {
  error: unknown;
  /** What our log says of it: a sentence of the code. */
  sentence: string;
  /** False for what ends the process. */
  isHandled: boolean;
  userId: string | undefined;
  tags: Record<string, string>;
  /** Where it happened, if that is traced. */
  trace: Pick<Span, "traceId" | "id"> | null;
}

/** Of a line's fields, those that are ids and names of ours. `path` is a procedure's where there is one, and else an address. */
const told = { requestId: "request_id", path: "procedure", task: "task", runId: "run_id", kind: "kind" } as const;
const word = /^[\w.: -]{1,100}$/;

/** So long, no second one of the same kind is told of: a database that is away fails everywhere, all the time. */
const quietMs = 60_000;
const mostKinds = 500;

/** The same log; whatever it says of an error that nobody expected is reported, too. */
export function reportingLog(log: Log, scopes: Scopes, report: (what: Report) => void): Log {
  const toldAt = new Map<string, number>();

  function isNews(sentence: string, error: unknown): boolean {
    const kind = `${sentence} ${error instanceof Error ? `${error.name} ${placeOf(error)}` : typeof error}`;
    const now = Date.now();
    if (now - (toldAt.get(kind) ?? Number.NEGATIVE_INFINITY) < quietMs) return false;
    if (toldAt.size >= mostKinds) toldAt.clear();
    toldAt.set(kind, now);
    return true;
  }

  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error(fields, message) {
      log.error(fields, message);
      if (!("err" in fields) || !isNews(message, fields.err)) return;
      const span = scopes.current()?.span ?? null;
      const userId = textOf(fields, "userId");
      const tags: Record<string, string> = {};
      for (const [field, tag] of Object.entries(told)) {
        const text = textOf(fields, field);
        if (text !== undefined) tags[tag] = text;
      }
      report({ error: fields.err, sentence: message, isHandled: tags.kind === undefined, userId, tags, trace: span });
    },
  };
}

function textOf(fields: object, name: string): string | undefined {
  const value: unknown = Reflect.get(fields, name);
  return typeof value === "string" && word.test(value) ? value : undefined;
}

/** The innermost line of the code that it comes from. */
function placeOf({ stack = "" }: Error): string {
  return /^\s+at .*$/m.exec(stack)?.[0].slice(0, 300) ?? "";
}
