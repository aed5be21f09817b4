import { errorShape } from "@parley/api";
import { AppError } from "@parley/core";
import { consoleLog } from "@parley/platform/workers";
import { secretsOf } from "../../config/secrets.ts";
import type { Bindings } from "../bindings.ts";
import { variablesOf } from "./setup.ts";

/** For what goes wrong where there is neither a gate nor a log, as with a wrong variable: every request is then answered so. */
export function unavailable(request: Request, bindings: Bindings, cause: unknown): Response {
  const requestId = crypto.randomUUID();
  const log = consoleLog({ level: "error", secrets: secretsOf(variablesOf(bindings)) });
  log.error({ requestId, err: cause }, "nothing can be answered");
  const shape = errorShape(new AppError("unavailable", "This server cannot answer: its log says why"), requestId);
  // Calls are answered through tRPC's transformer.
  const error = new URL(request.url).pathname.startsWith("/trpc/") ? { json: shape } : shape;
  return Response.json({ error }, { status: shape.data.httpStatus, headers: { "x-request-id": requestId } });
}
