const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const pool = new Uint8Array(4_096);
let at = pool.length;

/** Random bytes as hex. They are drawn in bulk: a call for each id costs more than the rest of a span. */
function randomHex(bytes: number): string {
  if (at + bytes > pool.length) {
    crypto.getRandomValues(pool);
    at = 0;
  }
  let text = "";
  for (const end = at + bytes; at < end; at++) text += hex[pool[at] ?? 0];
  return text;
}

export const newTraceId = () => randomHex(16);
export const newSpanId = () => randomHex(8);

export interface Caller {
  traceId: string;
  spanId: string;
  isSampled: boolean;
}

const traceparent = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** W3C Trace Context: of a later version, what this one knows of it; of what breaks the rules, nothing. */
export function readTraceparent(header: string | null): Caller | null {
  const [, version, traceId = "", spanId = "", flags = "", more] = traceparent.exec(header?.trim() ?? "") ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
