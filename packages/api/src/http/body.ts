import { TRPCError } from "@trpc/server";

/** Throws before the limit is passed, declared or not: nothing may be parsed that was not measured. */
export async function readBody(request: Request, limit: number): Promise<string> {
  const declared = request.headers.get("content-length");
  checkDeclared(declared, limit);
  try {
    return await (declared === null ? readChunks(request, limit) : request.text());
  } catch (cause) {
    // A body that cannot be read to its end is one whose sender has left.
    throw cause instanceof TRPCError ? cause : new TRPCError({ code: "CLIENT_CLOSED_REQUEST", cause });
  }
}

export function checkDeclared(declared: string | null, limit: number): void {
  if (declared !== null && !(Number(declared) <= limit)) throw new TRPCError({ code: "PAYLOAD_TOO_LARGE" });
}

async function readChunks(request: Request, limit: number): Promise<string> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = request.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    size += chunk.value.byteLength;
    if (size > limit) {
      await reader.cancel();
      throw new TRPCError({ code: "PAYLOAD_TOO_LARGE" });
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
  return text + decoder.decode();
}
