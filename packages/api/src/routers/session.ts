import { ById, Done, SessionList } from "@parley/contract";
import type { TRPCRouterRecord } from "@trpc/server";
import { signedIn } from "../trpc.ts";
import { done } from "./done.ts";

export const session = {
  /** Your signed-in devices, the one used last first. */
  list: signedIn.output(SessionList).query(({ ctx }) => ctx.services.sessions.list(ctx.actor)),
  end: signedIn
    .input(ById)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.sessions.endOne(ctx.actor, input.id, "ended", ctx.origin);
      return done;
    }),
  /** All but this one. */
  endOthers: signedIn.output(Done).mutation(async ({ ctx }) => {
    await ctx.services.sessions.endOthers(ctx.actor, ctx.origin);
    return done;
  }),
  /** This one too. */
  endAll: signedIn.output(Done).mutation(async ({ ctx }) => {
    await ctx.services.sessions.endAll(ctx.actor, ctx.origin);
    ctx.transport.cookies?.clear();
    return done;
  }),
} satisfies TRPCRouterRecord;
