import { type Actor, AppError, includesPermission, mayUse, tooMany } from "@parley/core";
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

/** Undefined where nothing is counted. */
function countCall({ services, origin, transport }: Context, actor: Actor | null): Promise<void> | undefined {
  return services.limits.general(actor, origin.address)?.then((state) => {
    if (!state) return;
    transport.noteLimit(state);
    if (!state.allowed) throw tooMany(state);
  });
}

/** What every call passes first: the credentials that were given are good, and the caller has calls left. */
function admit(context: Context): Promise<void> | undefined {
  if (context.refusal) throw context.refusal;
  return countCall(context, context.actor);
}

// One middleware a procedure, not a chain of them: tRPC copies its options at every step.

/** For who is signed in, and whom the check does not refuse. */
const guarded = (check: (actor: Actor, path: string, type: ProcedureType) => void) =>
  t.procedure.use(async ({ ctx, path, type, next }) => {
    await admit(ctx);
    if (!ctx.actor) throw new AppError("unauthenticated", "Sign in first");
    check(ctx.actor, path, type);
    // Narrowed as a type, which does not compile without the line that finds it out; for a value tRPC copies the context.
    return next<{ actor: typeof ctx.actor }>({});
  });

/** Open to guests. */
export const anyone = t.procedure.use(async ({ ctx, next }) => {
  await admit(ctx);
  return next();
});

/** For getting in: credentials that have expired must not be in the way of new ones. */
export const signingIn = t.procedure.use(async ({ ctx, next }) => {
  await countCall(ctx, null);
  return next();
});

export const signedIn = guarded((actor, path, type) => {
  // By the procedure's name, so that a new one cannot be forgotten: an account's own affairs, or chat and its models.
  const subject = /^(chat|model)\./.test(path) ? "chat" : "account";
  const scope = `${subject}.${type === "mutation" ? "write" : "read"}` as const;
  if (!mayUse(actor, scope)) throw new AppError("forbidden", `This key was not made for ${scope}`);
});

export const permitted = (permission: string) =>
  guarded((actor) => {
    // Of a key's owner's permissions, the actor has only what its scopes leave.
    if (includesPermission(actor.permissions, permission)) return;
    throw new AppError("forbidden", "You do not have the permission for this");
  });
