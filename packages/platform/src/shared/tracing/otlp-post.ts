import { post } from "../post.ts";

export interface HandedOn {
  isTaken: boolean;
  /** Of what was taken, so many were not. */
  rejected: number;
  mayBeTriedAgain: boolean;
  retryAfterMs: number | undefined;
  /** A status or a code: no text of the other side, which may quote ours. */
  trouble: string | null;
}

interface Batch {
  url: string;
  headers: Record<string, string>;
  body: string;
  timeoutMs: number;
  signal?: AbortSignal;
}

const passing = new Set([429, 502, 503, 504]);

/** Hands a batch over. Never throws. */
export async function postSpans({ headers, ...batch }: Batch): Promise<HandedOn> {
  const posted = await post({ ...batch, headers: { ...headers, "content-type": "application/json" }, isAnswerRead: true });
  if ("trouble" in posted) {
    return { isTaken: false, rejected: 0, mayBeTriedAgain: true, retryAfterMs: undefined, trouble: posted.trouble };
  }
  const { status, retryAfterMs, text } = posted;
  const isTaken = status >= 200 && status < 300;
  return {
    isTaken,
    rejected: rejectedOf(text),
    mayBeTriedAgain: passing.has(status),
    retryAfterMs,
    trouble: isTaken ? null : String(status),
  };
}

/** A collector may take a batch and leave out some of it. What it says in another way is taken for all of it. */
function rejectedOf(text: string): number {
  const found = /"rejectedSpans"\s*:\s*"?(\d{1,9})/.exec(text);
  return found ? Number(found[1]) : 0;
}
