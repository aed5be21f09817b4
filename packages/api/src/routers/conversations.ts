import {
  AddMember,
  ById,
  Conversation,
  ConversationExport,
  ConversationPage,
  CreateConversation,
  Done,
  ExportConversation,
  ImportConversation,
  ListConversations,
  ListPublic,
  PinConversation,
  PublicRoomPage,
  ReadShared,
  RemoveMember,
  SetMemberRole,
  ShareConversation,
  Shared,
  SharedConversation,
  UpdateConversation,
} from "@parley/contract";
import type { TRPCRouterRecord } from "@trpc/server";
import { anyone, signedIn } from "../trpc.ts";
import { done } from "./done.ts";

export const conversations = {
  create: signedIn
    .input(CreateConversation)
    .output(Conversation)
    .mutation(({ ctx, input }) => ctx.services.conversations.create(ctx.actor, input)),
  /** A page of your conversations, newest activity first. */
  list: signedIn
    .input(ListConversations)
    .output(ConversationPage)
    .query(({ ctx, input }) => ctx.services.conversations.list(ctx.actor, input)),
  get: signedIn
    .input(ById)
    .output(Conversation)
    .query(({ ctx, input }) => ctx.services.conversations.get(ctx.actor, input.id)),
  /** For owners and editors; who may find it is an owner's to say. */
  update: signedIn
    .input(UpdateConversation)
    .output(Conversation)
    .mutation(({ ctx, input }) => ctx.services.conversations.update(ctx.actor, input, ctx.origin)),
  /** In your own list. */
  pin: signedIn
    .input(PinConversation)
    .output(Conversation)
    .mutation(({ ctx, input }) => ctx.services.conversations.pin(ctx.actor, input)),
  /** For everybody in it, with all that was said. */
  delete: signedIn
    .input(ById)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.conversations.delete(ctx.actor, input.id, ctx.origin);
      return done;
    }),
  /** By an e-mail address or a username. Whoever is in it already gets the role. */
  addMember: signedIn
    .input(AddMember)
    .output(Conversation)
    .mutation(({ ctx, input }) => ctx.services.members.add(ctx.actor, input, ctx.origin)),
  setMemberRole: signedIn
    .input(SetMemberRole)
    .output(Conversation)
    .mutation(({ ctx, input }) => ctx.services.members.setRole(ctx.actor, input, ctx.origin)),
  removeMember: signedIn
    .input(RemoveMember)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.members.remove(ctx.actor, input, ctx.origin);
      return done;
    }),
  /** What you own passes to the oldest editor, or else reader; what nobody else is in is gone. */
  leave: signedIn
    .input(ById)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.members.leave(ctx.actor, input.id, ctx.origin);
      return done;
    }),
  /** A public one, as an editor. */
  join: signedIn
    .input(ById)
    .output(Conversation)
    .mutation(({ ctx, input }) => ctx.services.members.join(ctx.actor, input.id, ctx.origin)),
  /** A page of the rooms that everybody may join, newest activity first. */
  listPublic: signedIn
    .input(ListPublic)
    .output(PublicRoomPage)
    .query(({ ctx, input }) => ctx.services.publicRooms.list(ctx.actor, input)),
  /** A link for reading along, for an owner to give. */
  share: signedIn
    .input(ShareConversation)
    .output(Shared)
    .mutation(({ ctx, input }) => ctx.services.sharing.share(ctx.actor, input, ctx.origin)),
  /** What a link shows: a page of the conversation, oldest first, from the newest message upward. */
  shared: anyone
    .input(ReadShared)
    .output(SharedConversation)
    .query(({ ctx, input }) => ctx.services.sharing.read(input)),
  /** As a file, in parts: `nextCursor` asks for the next. JSON has all branches, Markdown the one that you look at. */
  export: signedIn
    .input(ExportConversation)
    .output(ConversationExport)
    .query(({ ctx, input }) => ctx.services.transfer.export(ctx.actor, input, ctx.origin)),
  /** A part of our own JSON. The first makes a conversation of yours, the others go `into` it; what is there already stays. */
  import: signedIn
    .input(ImportConversation)
    .output(Conversation)
    .mutation(({ ctx, input }) => ctx.services.transfer.import(ctx.actor, input, ctx.origin)),
} satisfies TRPCRouterRecord;
