import { type AnyTRPCRouter, callTRPCProcedure, TRPCError, type TRPCProcedureType } from "@trpc/server";
import { type SocketContext, withLastEventId } from "./frames.ts";

/** One query, mutation or subscription that came over a socket. */
export interface Call {
  readonly id: string | number;
  readonly head: string;
  readonly type: TRPCProcedureType;
  readonly path: string;
  readonly lastEventId: string | undefined;
  /** Its client has been told that it has started. */
  readonly isResumed: boolean;
  /** As it came, then as it was read. */
  input: unknown;
  context: SocketContext | undefined;
}

export type Invoke = (call: Call, signal: AbortSignal) => Promise<unknown>;

export function createInvoke(router: AnyTRPCRouter): Invoke {
  const { transformer } = router._def._config;
  return (call, signal) => {
    try {
      const input = call.isResumed ? undefined : transformer.input.deserialize(call.input);
      call.input = withLastEventId(input, call.lastEventId);
    } catch (cause) {
      throw new TRPCError({ code: "BAD_REQUEST", cause });
    }
    const { input, path, type, context } = call;
    return callTRPCProcedure({ router, path, type, ctx: context, signal, batchIndex: 0, getRawInput: async () => input });
  };
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

export function isAbortError(cause: unknown): boolean {
  if (cause instanceof TRPCError && cause.cause) return isAbortError(cause.cause);
  return typeof cause === "object" && cause !== null && "name" in cause && cause.name === "AbortError";
}
