import { type Actor, AppError } from "@parley/core";
import { initTRPC } from "@trpc/server";
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
function admit({ refusal, services, actor, address }: Context): Promise<void> | undefined {
  if (refusal) throw refusal;
  return services.limits.general(actor, address);
}

function requireActor({ actor }: Context): Actor {
  if (!actor) throw new AppError("unauthenticated", "Sign in first");
  return actor;
}

// One middleware a procedure, not a chain of them: tRPC copies its options at every step.

/** Open to guests. */
export const anyone = t.procedure.use(async ({ ctx, next }) => {
  const counted = admit(ctx);
  if (counted !== undefined) await counted;
  return next();
});

export const signedIn = t.procedure.use(async ({ ctx, next }) => {
  const counted = admit(ctx);
  if (counted !== undefined) await counted;
  return next({ ctx: { actor: requireActor(ctx) } });
});

export const permitted = (permission: string) =>
  t.procedure.use(async ({ ctx, next }) => {
    const counted = admit(ctx);
    if (counted !== undefined) await counted;
    const actor = requireActor(ctx);
    if (!actor.permissions.includes(permission) && !actor.permissions.includes("*")) {
      throw new AppError("forbidden", "You do not have the permission for this");
    }
    return next({ ctx: { actor } });
  });
