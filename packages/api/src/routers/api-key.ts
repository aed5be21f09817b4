import { ApiKeyList, ById, CreateApiKey, CreatedApiKey, Done } from "@parley/contract";
import type { TRPCRouterRecord } from "@trpc/server";
import { signedIn } from "../trpc.ts";
import { done } from "./done.ts";

export const apiKey = {
  /** The key is in this answer and never again. Without scopes it reads and writes chats and reads the account. */
  create: signedIn
    .input(CreateApiKey)
    .output(CreatedApiKey)
    .mutation(({ ctx, input }) => ctx.services.keys.create(ctx.actor, input, ctx.origin)),
  list: signedIn.output(ApiKeyList).query(({ ctx }) => ctx.services.keys.list(ctx.actor)),
  /** Within seconds, everywhere. */
  revoke: signedIn
    .input(ById)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.keys.revoke(ctx.actor, input.id, ctx.origin);
      return done;
    }),
} satisfies TRPCRouterRecord;
