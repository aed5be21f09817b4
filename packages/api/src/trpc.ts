import { type Actor, AppError, includesPermission, type LimitState, mayUse, tooMany } from "@parley/core";
import { initTRPC, type TRPCProcedureType as ProcedureType } from "@trpc/server";
import type { Context } from "./context.ts";
import { type ApiErrorShape, shapeError } from "./errors.ts";
import { transformer } from "./transformer.ts";

const t = initTRPC.context<Context>().create({
  transformer,
  // Explicit: tRPC would ask NODE_ENV, and believe itself in development on Workers.
  isDev: false,
  errorFormatter: ({ error, ctx, path }): ApiErrorShape => shapeError(error, ctx, path),
  sse: { ping: { enabled: true, intervalMs: 15_000 }, client: { reconnectAfterInactivityMs: 40_000 } },
});

export const createRouter = t.router;

/** What every call passes first: the credentials that were given are good, and the caller has calls left. */
function admit(context: Context): Promise<void> | undefined {
  const { actor, refusal, services, origin } = context;
  if (refusal) throw refusal;
  return services.limits.general(actor, origin.address)?.then((state) => checkLimit(context, state));
}

function checkLimit({ transport }: Context, state: LimitState | null): void {
  if (!state) return;
  transport.noteLimit(state);
  if (!state.allowed) throw tooMany(state);
}

function requireActor({ actor }: Context, path: string, type: ProcedureType): Actor {
  if (!actor) throw new AppError("unauthenticated", "Sign in first");
  // By the procedure's name, so that a new one cannot be forgotten: an account's own affairs, or chat.
  const subject = path.startsWith("chat.") ? "chat" : "account";
  const scope = `${subject}.${type === "mutation" ? "write" : "read"}` as const;
  if (!mayUse(actor, scope)) throw new AppError("forbidden", `This key was not made for ${scope}`);
  return actor;
}

// One middleware a procedure, not a chain of them: tRPC copies its options at every step.

/** Open to guests. */
export const anyone = t.procedure.use(async ({ ctx, next }) => {
  const counted = admit(ctx);
  if (counted !== undefined) await counted;
  return next();
});

/** For getting in: credentials that have expired must not be in the way of new ones. */
export const signingIn = t.procedure.use(async ({ ctx, next }) => {
  const counted = ctx.services.limits.general(null, ctx.origin.address);
  if (counted !== null) checkLimit(ctx, await counted);
  return next();
});

export const signedIn = t.procedure.use(async ({ ctx, path, type, next }) => {
  const counted = admit(ctx);
  if (counted !== undefined) await counted;
  return next({ ctx: { actor: requireActor(ctx, path, type) } });
});

export const permitted = (permission: string) =>
  t.procedure.use(async ({ ctx, next }) => {
    const counted = admit(ctx);
    if (counted !== undefined) await counted;
    const { actor } = ctx;
    if (!actor) throw new AppError("unauthenticated", "Sign in first");
    // Of a key's owner's permissions, the actor has only what its scopes leave.
    if (!includesPermission(actor.permissions, permission)) {
      throw new AppError("forbidden", "You do not have the permission for this");
    }
    return next({ ctx: { actor } });
  });
