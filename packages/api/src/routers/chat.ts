import {
  ById,
  Conversation,
  ConversationPage,
  Done,
  FollowLive,
  FollowRun,
  ListConversations,
  ListMessages,
  MessagePage,
  SendAccepted,
  SendMessage,
  StopRun,
} from "@parley/contract";
import type { TRPCRouterRecord } from "@trpc/server";
import { trackedFeed } from "../tracked-feed.ts";
import { signedIn } from "../trpc.ts";
import { done } from "./done.ts";

const conversations = {
  /** A page of your conversations, newest activity first. */
  list: signedIn
    .input(ListConversations)
    .output(ConversationPage)
    .query(({ ctx, input }) => ctx.services.chat.conversations.list(ctx.actor, input)),
  get: signedIn
    .input(ById)
    .output(Conversation)
    .query(({ ctx, input }) => ctx.services.chat.conversations.get(ctx.actor, input.id)),
} satisfies TRPCRouterRecord;

const messages = {
  /** A page of one branch, oldest first, from the leaf upward: `nextCursor` goes further back. */
  list: signedIn
    .input(ListMessages)
    .output(MessagePage)
    .query(({ ctx, input }) => ctx.services.chat.messages.list(ctx.actor, input)),
} satisfies TRPCRouterRecord;

export const chat = {
  conversations,
  messages,
  /** Saves a message and starts its answer. The same `clientMessageId` gives the same ids for a day. */
  send: signedIn
    .input(SendMessage)
    .output(SendAccepted)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.limits.chat(ctx.actor);
      return ctx.services.chat.send(ctx.actor, input);
    }),
  /** Ends an answer with what it has so far, from any device. Stopping twice is stopping once. */
  stop: signedIn
    .input(StopRun)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.chat.stop(ctx.actor, input);
      return done;
    }),
  /** The events of an answer, from the beginning or after `lastEventId`. */
  follow: signedIn
    .input(FollowRun)
    .subscription(async ({ ctx, input, signal }) => trackedFeed(await ctx.services.chat.follow(ctx.actor, input, signal))),
  /** Everything that concerns you, on all of your devices. */
  live: signedIn
    .input(FollowLive)
    .subscription(async ({ ctx, input, signal }) => trackedFeed(await ctx.services.chat.live(ctx.actor, input, signal))),
} satisfies TRPCRouterRecord;
