import type { ErrorReason } from "@parley/contract/errors";
import { AppError } from "@parley/core";
import { httpStatusOf } from "../errors.ts";
import { checkOrigin, readToken } from "../http/credentials.ts";
import { originOf, type RequestHead } from "../http/exchange.ts";
import type { Gate } from "../http/gate.ts";
import type { SocketOpening } from "./hub.ts";

/** What an upgrade says of its caller. Throws for one that gets no socket. */
export function admitSocket(gate: Gate, head: RequestHead, peer: string): SocketOpening {
  const exchange = gate.open(head, peer);
  gate.checkTarget(exchange);
  if (exchange.path !== "/trpc") throw new AppError("not_found", "Sockets are served at /trpc");
  checkOrigin(exchange);
  return {
    origin: originOf(exchange),
    token: readToken(exchange, "origin"),
    expectsConnectionParams: new URLSearchParams(exchange.search).get("connectionParams") === "1",
  };
}

/** How an upgrade is answered that gets no socket. */
export function refusalOf(error: unknown): { status: number; reason: ErrorReason } {
  const reason = error instanceof AppError ? error.reason : "invalid_input";
  return { status: httpStatusOf(reason), reason };
}
