import {
  AccountExport,
  DeleteAccount,
  Done,
  GetExport,
  GetUsage,
  Preferences,
  Profile,
  SetPreferences,
  UpdateProfile,
  Usage,
} from "@parley/contract";
import type { TRPCRouterRecord } from "@trpc/server";
import { signedIn } from "../trpc.ts";
import { done } from "./done.ts";

export const user = {
  profile: signedIn.output(Profile).query(({ ctx }) => ctx.services.users.profile(ctx.actor)),
  /** What is left out stays; null clears. */
  update: signedIn
    .input(UpdateProfile)
    .output(Profile)
    .mutation(({ ctx, input }) => ctx.services.users.update(ctx.actor, input, ctx.origin)),
  preferences: signedIn.output(Preferences).query(({ ctx }) => ctx.services.users.preferences(ctx.actor)),
  /** Replaces them all. */
  setPreferences: signedIn
    .input(SetPreferences)
    .output(Preferences)
    .mutation(({ ctx, input }) => ctx.services.users.setPreferences(ctx.actor, input)),
  /** Messages, answers and tokens by model, from now back. */
  usage: signedIn
    .input(GetUsage)
    .output(Usage)
    .query(({ ctx, input }) => ctx.services.users.usage(ctx.actor, input.range)),
  /** Everything of yours, in parts: `nextCursor` asks for the next. */
  export: signedIn
    .input(GetExport)
    .output(AccountExport)
    .query(({ ctx, input }) => ctx.services.users.export(ctx.actor, input)),
  /** At once and for good. Conversations that others read stay with them. */
  deleteAccount: signedIn
    .input(DeleteAccount)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      const remove = () => ctx.services.users.deleteAccount(ctx.actor, input.password, ctx.origin);
      await ctx.services.limits.signIn(ctx.origin.address, remove);
      ctx.transport.cookies?.clear();
      return done;
    }),
} satisfies TRPCRouterRecord;
