import type { ErrorReason } from "@parley/contract/errors";
import { type Actor, AppError, includesPermission, mayUse, tooMany } from "@parley/core";
import { initTRPC, type TRPCProcedureType as ProcedureType } from "@trpc/server";
import type { Context } from "./context.ts";
import { type ApiErrorShape, reasonOf, shapeError } from "./errors.ts";
import { transformer } from "./transformer.ts";

const t = initTRPC.context<Context>().create({
  transformer,
  // Explicit: tRPC would ask NODE_ENV, and believe itself in development on Workers.
  isDev: false,
  errorFormatter: ({ error, ctx, path }): ApiErrorShape => shapeError(error, ctx, path),
  sse: { ping: { enabled: true, intervalMs: 15_000 }, client: { reconnectAfterInactivityMs: 40_000 } },
});

export const createRouter = t.router;

/** Undefined where nothing is counted. */
function countCall({ services, origin, transport }: Context, actor: Actor | null): Promise<void> | undefined {
  return services.limits.general(actor, origin.address)?.then((state) => {
    if (!state) return;
    transport.noteLimit(state);
    if (!state.allowed) throw tooMany(state);
  });
}

type Count = typeof countCall;

/** What passes has a limit of its own, for who is signed in. */
const countPassing: Count = (context, actor) => (actor ? context.services.limits.presence(actor) : countCall(context, actor));

/** What every call passes first: the credentials that were given are good, and the caller has calls left. */
function admit(context: Context, count: Count): Promise<void> | undefined {
  if (context.refusal) throw context.refusal;
  return context.isResumed ? undefined : count(context, context.actor);
}

/** In a scope of its own, counted, and told in one line of the log. */
function measured<Result extends { ok: boolean; error?: unknown }>(
  { services, requestId, actor, transport }: Context,
  procedure: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const startedAt = performance.now();
  const { callSpans } = services;
  const userId = actor?.userId ?? null;
  const span =
    callSpans?.begin({ procedure, requestId, userId, transport: transport.name, caller: transport.traceparent }) ?? null;
  const ended = (reason: ErrorReason | null) => {
    transport.noteCall();
    services.calls.ended({ procedure, requestId, userId, ms: performance.now() - startedAt, reason });
    if (span) callSpans?.end(span, reason);
  };
  return services.scopes.run({ databaseMs: 0, vendorMs: 0, span }, async () => {
    try {
      const result = await work();
      ended(result.ok ? null : reasonOf(result.error));
      return result;
    } catch (cause) {
      ended(reasonOf(cause));
      throw cause;
    }
  });
}

// One middleware a procedure, not a chain of them: tRPC copies its options at every step.

type Check = (actor: Actor, path: string, type: ProcedureType) => void;

/** For who is signed in, and whom the check does not refuse. */
const guarded = (check: Check, count: Count) =>
  t.procedure.use(({ ctx, path, type, next }) =>
    measured(ctx, path, async () => {
      await admit(ctx, count);
      if (!ctx.actor) throw new AppError("unauthenticated", "Sign in first");
      check(ctx.actor, path, type);
      // Narrowed as a type, which does not compile without the line that finds it out; for a value tRPC copies the context.
      return next<{ actor: typeof ctx.actor }>({});
    }),
  );

/** Open to guests. */
export const anyone = t.procedure.use(({ ctx, path, next }) =>
  measured(ctx, path, async () => {
    await admit(ctx, countCall);
    return next();
  }),
);

/** For getting in: credentials that have expired must not be in the way of new ones. */
export const signingIn = t.procedure.use(({ ctx, path, next }) =>
  measured(ctx, path, async () => {
    await countCall(ctx, null);
    return next();
  }),
);

const inScope: Check = (actor, path, type) => {
  // By the procedure's name, so that a new one cannot be forgotten: an account's own affairs, or chat and its models.
  const subject = /^(chat|model)\./.test(path) ? "chat" : "account";
  const scope = `${subject}.${type === "mutation" ? "write" : "read"}` as const;
  if (!mayUse(actor, scope)) throw new AppError("forbidden", `This key was not made for ${scope}`);
};

export const signedIn = guarded(inScope, countCall);

/** For what passes: presence and typing. */
export const signedInPassing = guarded(inScope, countPassing);

export const permitted = (permission: string) =>
  guarded((actor) => {
    // Of a key's owner's permissions, the actor has only what its scopes leave.
    if (includesPermission(actor.permissions, permission)) return;
    throw new AppError("forbidden", "You do not have the permission for this");
  }, countCall);
