import { internalError } from "@parley/core";
import { type AnyTRPCRouter, getTRPCErrorFromUnknown, getTRPCErrorShape, TRPCError, type TRPCProcedureType } from "@trpc/server";
import { parseConnectionParamsFromUnknown } from "@trpc/server/http";
import { parseTRPCMessage, type TRPCClientOutgoingMessage } from "@trpc/server/rpc";
import type { Context } from "../context.ts";
import { errorShape } from "../errors.ts";

/** What a socket must know of its context; the router's own may hold more. */
export type SocketContext = Pick<Context, "requestId" | "actor" | "refusal" | "origin" | "isResumed">;

/** What goes wrong is told with as much of its call as is known. */
export interface Failure {
  readonly cause: unknown;
  readonly type: TRPCProcedureType | "unknown";
  readonly path?: string | undefined;
  readonly input?: unknown;
  readonly context?: SocketContext | undefined;
}

/** Everything of a frame that follows the head: the same for all whom it concerns. */
export interface Bodies {
  data(value: unknown): string;
  tracked(id: string, value: unknown): string;
  error(failure: Failure): string;
}

export const started = ',"result":{"type":"started"}}';
export const stopped = ',"result":{"type":"stopped"}}';
export const reconnect = '{"id":null,"method":"reconnect"}';

/** An error that cannot be told as it should be is told all the same: `report` hears why. */
export function createBodies(router: AnyTRPCRouter, report: (cause: unknown, message: string) => void): Bodies {
  const { _config: config } = router._def;
  const { output } = config.transformer;
  const serialize = (value: unknown) => {
    const text: string | undefined = JSON.stringify(output.serialize(value));
    return text === undefined ? "" : `,"data":${text}`;
  };
  return {
    data: (value) => `,"result":{"type":"data"${serialize(value)}}}`,
    tracked: (id, value) => `,"result":{"type":"data"${serialize({ id, data: value })},"id":${JSON.stringify(id)}}}`,
    error({ cause, type, path, input, context }) {
      try {
        const error = getTRPCErrorFromUnknown(cause);
        const shape: unknown = getTRPCErrorShape({ config, error, type, path, input, ctx: context });
        return `,"error":${JSON.stringify(output.serialize(shape))}}`;
      } catch (formatterCause) {
        report(formatterCause, "an error could not be formatted");
        const shape = errorShape(internalError(), context?.requestId ?? "");
        return `,"error":${JSON.stringify(output.serialize(shape))}}`;
      }
    },
  };
}

/** The beginning of every frame that answers one call. */
export function headOf(id: string | number | null, jsonrpc: "2.0" | undefined): string {
  return `{"id":${JSON.stringify(id)}${jsonrpc ? ',"jsonrpc":"2.0"' : ""}`;
}

const asItIs = { serialize: (value: unknown) => value, deserialize: (value: unknown) => value };
const envelopeOnly = { input: asItIs, output: asItIs };

/** Inputs are left as they came: one that cannot be read concerns its own call, not the whole frame. */
export function readMessages(text: string): TRPCClientOutgoingMessage[] {
  try {
    const frame: unknown = JSON.parse(text);
    return Array.isArray(frame)
      ? frame.map((message) => parseTRPCMessage(message, envelopeOnly))
      : [parseTRPCMessage(frame, envelopeOnly)];
  } catch (cause) {
    throw new TRPCError({ code: "PARSE_ERROR", cause });
  }
}

export function readConnectionToken(text: string): string | null {
  return parseConnectionParamsFromUnknown(readConnectionParams(text))?.token ?? null;
}

function readConnectionParams(text: string): unknown {
  try {
    const frame: unknown = JSON.parse(text);
    if (typeof frame !== "object" || frame === null || Array.isArray(frame)) throw new Error("Message was not an object");
    return "data" in frame ? frame.data : undefined;
  } catch (cause) {
    throw new TRPCError({ code: "PARSE_ERROR", message: "Malformed TRPCConnectionParamsMessage", cause });
  }
}

/** As tRPC merges it: a subscription that is resumed finds the last event's id in its input. */
export function withLastEventId(input: unknown, lastEventId: string | undefined): unknown {
  if (lastEventId === undefined) return input;
  if (typeof input === "object" && input !== null && !Array.isArray(input)) return { ...input, lastEventId };
  return input ?? { lastEventId };
}
