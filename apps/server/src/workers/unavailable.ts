import type { ErrorData } from "@parley/contract/errors";

/** For what goes wrong before there is a gate or a log, as with a wrong variable: every request is then answered so. */
export function unavailable(request: Request, cause: unknown): Response {
  const requestId = crypto.randomUUID();
  const message = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  console.error(
    JSON.stringify({
      level: "error",
      time: new Date().toISOString(),
      requestId,
      err: { message },
      msg: "nothing can be answered",
    }),
  );
  const data: ErrorData = { code: "SERVICE_UNAVAILABLE", httpStatus: 503, reason: "unavailable", requestId };
  const shape = { message: "This server cannot answer: its log says why", code: -32603, data };
  const isCall = new URL(request.url).pathname.startsWith("/trpc/");
  return Response.json({ error: isCall ? { json: shape } : shape }, { status: 503, headers: { "x-request-id": requestId } });
}
