import { ProviderError } from "@parley/core/ports";

const longestError = 64 * 1024;
const longestWhole = 8 * 1024 * 1024;

/**
 * Keeps the key with its vendor, and out of memory what has no end. A redirect is an error: who follows one takes every
 * header along but `authorization`. A refusal, and what comes in one piece, is cut where it is too long.
 */
export function vendorFetch(send: typeof fetch, label: string): typeof fetch {
  return async (input, init) => {
    const response = await send(input, { ...init, redirect: "manual" });
    const { ok, status, type, headers, body } = response;
    if (type === "opaqueredirect" || (status >= 300 && status < 400)) {
      body?.cancel().catch(() => {});
      throw new ProviderError("bad_request", `${label} answered with a redirect`, status > 0 ? { status } : {});
    }
    if (!body) return response;
    if (!ok) return new Response(cutAfter(longestError, body), response);
    const isWhole = (init?.method ?? "GET").toUpperCase() === "GET" || headers.get("content-type")?.includes("json");
    return isWhole ? new Response(cutAfter(longestWhole, body), response) : response;
  };
}

function cutAfter(bytes: number, body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let left = bytes;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (value) controller.enqueue(value.subarray(0, left));
      left -= value?.length ?? 0;
      if (!done && left > 0) return;
      controller.close();
      reader.cancel().catch(() => {});
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** The JSON of a body, or its text where it is none. */
export async function readWhole(response: Response): Promise<unknown> {
  const text = await response.text().catch(() => "");
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
