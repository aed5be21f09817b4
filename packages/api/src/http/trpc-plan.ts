import { type AnyTRPCProcedure, type AnyTRPCRouter, TRPCError } from "@trpc/server";
import type { Exchange } from "./exchange.ts";

export const maximumBatch = 20;

export type Procedures = ReadonlyMap<string, AnyTRPCProcedure>;

export interface PlannedCall {
  readonly path: string;
  readonly procedure: AnyTRPCProcedure | undefined;
}

/** What a request asks for, before its body is read. */
export interface Plan {
  readonly calls: readonly PlannedCall[];
  readonly isBatch: boolean;
  readonly type: "query" | "mutation" | "subscription" | undefined;
}

/** A map has no inherited entries: `constructor` and `__proto__` are unknown paths. */
export function listProcedures(router: AnyTRPCRouter): Procedures {
  return new Map<string, AnyTRPCProcedure>(Object.entries(router._def.procedures));
}

/** The names of those that go on until somebody ends them. */
export function subscriptionsOf(router: AnyTRPCRouter): string[] {
  return Array.from(listProcedures(router)).flatMap(([name, { _def }]) => (_def.type === "subscription" ? [name] : []));
}

/** Throws what refuses the request as a whole. */
export function planCalls(procedures: Procedures, exchange: Exchange): Plan {
  const path = decodePath(exchange.path);
  const isBatch = exchange.search.includes("batch=") && new URLSearchParams(exchange.search).get("batch") === "1";
  if (!isBatch) {
    const procedure = procedures.get(path);
    return { calls: [{ path, procedure }], isBatch, type: procedure?._def.type };
  }
  const paths = path.split(",");
  if (paths.length > maximumBatch) throw new TRPCError({ code: "BAD_REQUEST" });
  const calls = paths.map((path) => ({ path, procedure: procedures.get(path) }));
  const types = new Set(calls.map(({ procedure }) => procedure?._def.type).filter((type) => type !== undefined));
  if (types.size > 1) throw new TRPCError({ code: "BAD_REQUEST" });
  return { calls, isBatch, type: [...types][0] };
}

function decodePath(path: string): string {
  const rest = path.slice("/trpc/".length);
  if (!rest.includes("%")) return rest;
  try {
    return decodeURIComponent(rest);
  } catch (cause) {
    throw new TRPCError({ code: "BAD_REQUEST", cause });
  }
}

const methods = { query: "GET", mutation: "POST", subscription: "GET" } as const;

export function methodOf(type: keyof typeof methods): "GET" | "POST" {
  return methods[type];
}
