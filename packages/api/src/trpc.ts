import { AppError } from "@parley/core";
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

/** Open to guests. Credentials that were given must still be good. Every call counts towards the general limit. */
export const anyone = t.procedure.use(({ ctx, next }) => {
  if (ctx.refusal) throw ctx.refusal;
  const counted = ctx.services.limits.general(ctx.actor, ctx.address);
  return counted ? counted.then(() => next()) : next();
});

export const signedIn = anyone.use(({ ctx, next }) => {
  if (!ctx.actor) throw new AppError("unauthenticated", "Sign in first");
  return next({ ctx: { actor: ctx.actor } });
});

export const permitted = (permission: string) =>
  signedIn.use(({ ctx, next }) => {
    const { permissions } = ctx.actor;
    if (!permissions.includes(permission) && !permissions.includes("*")) {
      throw new AppError("forbidden", "You do not have the permission for this");
    }
    return next();
  });
