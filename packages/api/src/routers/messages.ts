import {
  ById,
  Done,
  EditMessage,
  ListMessages,
  Message,
  MessageHistory,
  MessagePage,
  RateMessage,
  SearchMessages,
  SearchPage,
  ShowBranch,
} from "@parley/contract";
import type { TRPCRouterRecord } from "@trpc/server";
import { signedIn } from "../trpc.ts";
import { done } from "./done.ts";

export const messages = {
  /** A page of one branch, oldest first, from the leaf upward: `nextCursor` goes further back. */
  list: signedIn
    .input(ListMessages)
    .output(MessagePage)
    .query(({ ctx, input }) => ctx.services.messages.list(ctx.actor, input)),
  get: signedIn
    .input(ById)
    .output(Message)
    .query(({ ctx, input }) => ctx.services.messages.get(ctx.actor, input.id)),
  /** You look at the newest branch below this message, on all of your devices, until you look at another. */
  showBranch: signedIn
    .input(ShowBranch)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.messages.showBranch(ctx.actor, input);
      return done;
    }),
  /** Your own messages, and answers that have ended. What was said before is kept. */
  edit: signedIn
    .input(EditMessage)
    .output(Message)
    .mutation(({ ctx, input }) => ctx.services.messages.edit(ctx.actor, input, ctx.origin)),
  /** What a message said before each of its last hundred changes, oldest first. */
  history: signedIn
    .input(ById)
    .output(MessageHistory)
    .query(({ ctx, input }) => ctx.services.messages.history(ctx.actor, input.id)),
  /** Only the message goes: what followed it hangs on its parent from then on, or begins a branch where it had none. */
  delete: signedIn
    .input(ById)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.messages.delete(ctx.actor, input.id, ctx.origin);
      return done;
    }),
  /** Your own rating, in place of an earlier one; null takes it back. */
  rate: signedIn
    .input(RateMessage)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.messages.rate(ctx.actor, input);
      return done;
    }),
  /** In all of your conversations, or in one: the newest first, in English, Russian, Arabic and Hebrew, with other forms of the words. */
  search: signedIn
    .input(SearchMessages)
    .output(SearchPage)
    .query(({ ctx, input }) => ctx.services.messages.search(ctx.actor, input)),
} satisfies TRPCRouterRecord;
