import { TRPCError } from "@trpc/server";
import type { Context } from "../context.ts";
import type { Answer } from "./answer.ts";
import { checkDeclared, readBody } from "./body.ts";
import { readToken } from "./credentials.ts";
import { type Exchange, originOf } from "./exchange.ts";
import type { ApiOptions } from "./options.ts";
import type { Handler } from "./pipeline.ts";
import { createEnvelopes, type Envelopes, type Outcome } from "./trpc-answer.ts";
import { Inputs } from "./trpc-inputs.ts";
import { listProcedures, methodOf, type Plan, type PlannedCall, planCalls } from "./trpc-plan.ts";
import { answerStreamed } from "./trpc-streams.ts";

export interface TrpcRoute {
  readonly handler: Handler;
  readonly errorAnswer: Envelopes["refusal"];
}

/** Queries and mutations answered directly, as tRPC's resolver would answer them; what streams is left to that resolver. */
export function createTrpcRoute(options: ApiOptions): TrpcRoute {
  const { router, log } = options;
  const procedures = listProcedures(router);
  const { deserialize } = router._def._config.transformer.input;
  const envelopes = createEnvelopes(router);

  async function run(exchange: Exchange, request: Request, opened: { context?: Context }): Promise<Answer> {
    const { method } = exchange;
    if (method !== "GET") checkHead(exchange);
    const plan = planCalls(procedures, exchange);
    // A body is only read for the calls that may have one, and then before anything is done for its sender.
    const body = method === "POST" && plan.type === "mutation" ? await readBody(request) : null;
    const context = await openContext(exchange);
    opened.context = context;
    const [first] = plan.calls;
    if (isStreamed(plan, exchange)) {
      const subscription = plan.isBatch ? null : (first?.path ?? null);
      return answerStreamed({ router, request, body, context, subscription, until: options.streamSignal });
    }

    const read = () => (method === "GET" ? new URLSearchParams(exchange.search).get("input") : body);
    const inputs = new Inputs(read, plan.isBatch ? plan.calls.length : null, deserialize);
    const outcomeOf = (call: PlannedCall, index: number) => answerCall({ call, index, method, context, inputs }, plan.isBatch);
    const allow = plan.type && method !== methodOf(plan.type) ? methodOf(plan.type) : undefined;
    if (!plan.isBatch && first) return envelopes.one(await outcomeOf(first, 0), allow);
    return envelopes.batch(await Promise.all(plan.calls.map(outcomeOf)), allow);
  }

  function openContext(exchange: Exchange): Promise<Context> {
    return options.createContext({ origin: originOf(exchange), token: readToken(exchange, "header") }, exchange);
  }

  async function answerCall({ call, index, method, context, inputs }: CallOptions, isBatch: boolean): Promise<Outcome> {
    try {
      const { path, procedure } = call;
      if (!procedure) throw new TRPCError({ code: "NOT_FOUND" });
      const { type } = procedure._def;
      if (method !== methodOf(type)) throw new TRPCError({ code: "METHOD_NOT_SUPPORTED" });
      if (type === "subscription" && isBatch) throw new TRPCError({ code: "BAD_REQUEST" });
      const getRawInput = async () => inputs.at(index);
      // No signal: a caller who leaves does not undo what it asked for.
      const data: unknown = await procedure({ path, type, ctx: context, getRawInput, signal: undefined, batchIndex: index });
      if (isIterable(data)) throw new TRPCError({ code: "UNSUPPORTED_MEDIA_TYPE" });
      return { data };
    } catch (cause) {
      return envelopes.failed(cause, context, call);
    }
  }

  return {
    errorAnswer: envelopes.refusal,
    async handler(exchange, request) {
      if (exchange.method === "HEAD") return { status: 204, type: null, body: null };
      const opened: { context?: Context } = {};
      try {
        return await run(exchange, request, opened);
      } catch (cause) {
        const { context } = opened;
        const { requestId } = exchange;
        return envelopes.one(
          context ? envelopes.failed(cause, context, undefined) : envelopes.failedEarly(cause, requestId, log),
        );
      }
    },
  };
}

interface CallOptions {
  readonly call: PlannedCall;
  readonly index: number;
  readonly method: string;
  readonly context: Context;
  readonly inputs: Inputs;
}

/** A form needs no preflight to be sent from a foreign page: only JSON is taken. */
function checkHead({ headers }: Exchange): void {
  const [mediaType = ""] = (headers.get("content-type") ?? "").split(";", 1);
  if (mediaType.trim().toLowerCase() !== "application/json") throw new TRPCError({ code: "UNSUPPORTED_MEDIA_TYPE" });
  checkDeclared(headers.get("content-length"));
}

function isStreamed({ isBatch, type }: Plan, { method, headers }: Exchange): boolean {
  if (!isBatch) return type === "subscription" && method === "GET";
  const wanted = headers.get("trpc-accept") ?? headers.get("accept");
  return wanted?.includes("application/jsonl") === true;
}

function isIterable(data: unknown): boolean {
  return typeof data === "object" && data !== null && Symbol.asyncIterator in data;
}
