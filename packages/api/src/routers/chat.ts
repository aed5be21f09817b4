import {
  Done,
  Entered,
  FollowLive,
  FollowRun,
  GetRun,
  MarkRead,
  Regenerate,
  Room,
  Run,
  SendAccepted,
  SendMessage,
  StopRun,
  Typing,
} from "@parley/contract";
import type { TRPCRouterRecord } from "@trpc/server";
import { trackedFeed } from "../tracked-feed.ts";
import { signedIn, signedInPassing } from "../trpc.ts";
import { conversations } from "./conversations.ts";
import { done } from "./done.ts";
import { messages } from "./messages.ts";

export const chat = {
  conversations,
  messages,
  /** Saves a message and starts its answer. The same `clientMessageId` gives the same ids for a day. */
  send: signedIn
    .input(SendMessage)
    .output(SendAccepted)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.limits.chat(ctx.actor);
      return ctx.services.turns.send(ctx.actor, input);
    }),
  /** Answers again, beside the answer that is named or below the question. The others stay. */
  regenerate: signedIn
    .input(Regenerate)
    .output(SendAccepted)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.limits.chat(ctx.actor);
      return ctx.services.turns.regenerate(ctx.actor, input);
    }),
  /** Ends an answer with what it has so far, from any device. Stopping twice is stopping once. */
  stop: signedIn
    .input(StopRun)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.runs.stop(ctx.actor, input);
      return done;
    }),
  /** What has become of an answer and what it cost; for who asked, also what its model was asked. */
  run: signedIn
    .input(GetRun)
    .output(Run)
    .query(({ ctx, input }) => ctx.services.runView.get(ctx.actor, input)),
  /** You look at this conversation now, and so do these people. It holds while this session follows `live`, and otherwise for 90 s. */
  enter: signedInPassing
    .input(Room)
    .output(Entered)
    .mutation(({ ctx, input }) => ctx.services.presences.enter(ctx.actor, input)),
  /** This device no longer looks at it. */
  exit: signedInPassing
    .input(Room)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.presences.exit(ctx.actor, input);
      return done;
    }),
  /** Say it again every few seconds while it lasts: after 8 s of silence the others hear that you have stopped. */
  typing: signedInPassing
    .input(Typing)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.typing.say(ctx.actor, input);
      return done;
    }),
  /** You have read everything up to this message. */
  markRead: signedIn
    .input(MarkRead)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.reading.mark(ctx.actor, input);
      return done;
    }),
  /** The events of an answer, from the beginning or after `lastEventId`. */
  follow: signedIn
    .input(FollowRun)
    .subscription(async ({ ctx, input, signal }) => trackedFeed(await ctx.services.follow(ctx.actor, input, signal))),
  /** Everything that concerns you, on all of your devices. */
  live: signedIn
    .input(FollowLive)
    .subscription(async ({ ctx, input, signal }) => trackedFeed(await ctx.services.live.follow(ctx.actor, input, signal))),
} satisfies TRPCRouterRecord;
