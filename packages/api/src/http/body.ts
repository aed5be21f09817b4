import { TRPCError } from "@trpc/server";

/** Bytes of a request's body. */
export const bodyLimit = 1024 * 1024;

/** Throws before the limit is passed, declared or not: nothing may be parsed that was not measured. */
export async function readBody(request: Request): Promise<string> {
  const declared = request.headers.get("content-length");
  checkDeclared(declared);
  try {
    return await (declared === null ? readChunks(request) : request.text());
  } catch (cause) {
    // A body that cannot be read to its end is one whose sender has left.
    throw cause instanceof TRPCError ? cause : new TRPCError({ code: "CLIENT_CLOSED_REQUEST", cause });
  }
}

export function checkDeclared(declared: string | null): void {
  if (declared !== null && !(Number(declared) <= bodyLimit)) throw new TRPCError({ code: "PAYLOAD_TOO_LARGE" });
}

async function readChunks(request: Request): Promise<string> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = request.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    size += chunk.value.byteLength;
    if (size > bodyLimit) {
      await reader.cancel();
      throw new TRPCError({ code: "PAYLOAD_TOO_LARGE" });
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
  return text + decoder.decode();
}
