import { codeOf } from "@parley/core/ports";

interface Posting {
  url: string;
  headers: Record<string, string>;
  body: string | Uint8Array<ArrayBuffer>;
  timeoutMs: number;
  signal?: AbortSignal;
  /** Somebody reads what they say when they take it. */
  isAnswerRead?: boolean;
}

interface Answered {
  status: number;
  headers: Headers;
  retryAfterMs: number | undefined;
  /** Empty where nobody reads it. */
  text: string;
}

/** `trouble` is a code or the class of an error: the sentences of some runtimes quote the whole address. */
export type Posted = Answered | { trouble: string };

const longestAnswer = 64 * 1_024;

/**
 * Hands something to somebody outside. Never throws. The address and the headers may hold a secret: redirects, which would take
 * them elsewhere, are not followed.
 */
export async function post({ url, headers, body, timeoutMs, signal, isAnswerRead = false }: Posting): Promise<Posted> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      signal: signal ? AbortSignal.any([signal, late]) : late,
    });
    const { ok, status } = response;
    const text = ok && isAnswerRead ? await beginningOf(response) : "";
    // A body that is not read keeps its connection.
    if (!response.bodyUsed) await response.body?.cancel().catch(() => {});
    return {
      status,
      headers: response.headers,
      retryAfterMs: readRetryAfter(response.headers.get("retry-after")),
      text,
    };
  } catch (error) {
    return { trouble: codeOf(error) };
  }
}

/** However long it is. */
async function beginningOf({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  const chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = body ?? [];
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= longestAnswer) break;
  }
  return text.slice(0, longestAnswer);
}

/** Seconds, or a date. */
function readRetryAfter(given: string | null): number | undefined {
  if (given === null) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(given) ? Number(given) * 1_000 : Date.parse(given) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
