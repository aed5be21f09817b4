import * as z from "zod";
import type { Conversation as ConversationType } from "./events.ts";
import { Message } from "./messages.ts";
import { object } from "./object.ts";
import { GivenMetadata, MessageRole, Metadata, ModelId, PageSize, Person, Tag } from "./shapes.ts";
import { id, text } from "./text.ts";

const Id = id();
const MemberRole = z.enum(["owner", "editor", "viewer"]);
const Visibility = z.enum(["private", "public"]);

export const Conversation = object(() => ({
  id: Id,
  title: z.string(),
  description: z.string().nullable(),
  visibility: Visibility,
  archivedAt: z.date().nullable(),
  pinned: z.boolean(),
  tags: z.array(z.string()),
  metadata: Metadata,
  model: z.string().nullable(),
  systemPrompt: z.string().nullable(),
  shareUrl: z.string().nullable(),
  members: z.array(z.object({ user: Person, role: MemberRole })),
  myRole: MemberRole,
  lastMessage: z.object({ id: Id, role: MessageRole, excerpt: z.string(), createdAt: z.date() }).nullable(),
  messageCount: z.int(),
  unreadCount: z.int(),
  createdAt: z.date(),
  updatedAt: z.date(),
})) satisfies z.ZodType<ConversationType>;
export type Conversation = z.output<typeof Conversation>;

const Title = text().trim().min(1).max(200);
const Description = text().max(2_000);
const Tags = z
  .array(Tag)
  .max(20)
  .transform((tags) => [...new Set(tags)]);

const editable = {
  title: Title,
  description: Description.nullable(),
  visibility: Visibility,
  tags: Tags,
  metadata: GivenMetadata,
  model: ModelId.nullable(),
  systemPrompt: text().max(32_000).nullable(),
};

export const CreateConversation = z.object(editable).partial();
export type CreateConversation = z.output<typeof CreateConversation>;

/** What is not named stays as it is. */
export const UpdateConversation = object(() => ({ id: Id, ...z.object({ ...editable, archived: z.boolean() }).partial().shape }));
export type UpdateConversation = z.output<typeof UpdateConversation>;

export const ListConversations = object(() => ({
  cursor: z.string().max(1_000).optional(),
  limit: PageSize.optional(),
  /** `activity` without a word, newest first. */
  sortBy: z.enum(["activity", "created", "title"]).optional(),
  sortOrder: z.enum(["asc", "desc"]).optional(),
  /** Words of the title or the description. */
  search: text().trim().min(1).max(200).optional(),
  /** Without it, those that are not. */
  archived: z.boolean().optional(),
  pinned: z.boolean().optional(),
  tag: Tag.optional(),
  withTotal: z.boolean().optional(),
}));
export type ListConversations = z.output<typeof ListConversations>;

export const ConversationPage = object(() => ({
  items: z.array(Conversation),
  nextCursor: z.string().nullable(),
  total: z.int().optional(),
}));
export type ConversationPage = z.output<typeof ConversationPage>;

export const PinConversation = object(() => ({ id: Id, pinned: z.boolean() }));
export type PinConversation = z.output<typeof PinConversation>;

export const AddMember = object(() => ({ id: Id, identifier: text().trim().min(1).max(320), role: MemberRole }));
export type AddMember = z.output<typeof AddMember>;

export const SetMemberRole = object(() => ({ id: Id, userId: Id, role: MemberRole }));
export type SetMemberRole = z.output<typeof SetMemberRole>;

export const RemoveMember = object(() => ({ id: Id, userId: Id }));
export type RemoveMember = z.output<typeof RemoveMember>;

export const ListPublic = object(() => ({
  cursor: z.string().max(1_000).optional(),
  limit: PageSize.optional(),
  search: text().trim().min(1).max(200).optional(),
}));
export type ListPublic = z.output<typeof ListPublic>;

/** A room as those see it who have not joined. */
const PublicRoom = object(() => ({
  id: Id,
  title: z.string(),
  description: z.string().nullable(),
  tags: z.array(z.string()),
  memberCount: z.int(),
  isMember: z.boolean(),
  updatedAt: z.date(),
}));

export const PublicRoomPage = object(() => ({ items: z.array(PublicRoom), nextCursor: z.string().nullable() }));
export type PublicRoomPage = z.output<typeof PublicRoomPage>;

export const ShareConversation = object(() => ({ id: Id, on: z.boolean() }));
export type ShareConversation = z.output<typeof ShareConversation>;

export const Shared = object(() => ({ shareUrl: z.string().nullable() }));
export type Shared = z.output<typeof Shared>;

export const ReadShared = object(() => ({
  /** The last part of a share link. */
  token: z
    .string()
    .max(100)
    .regex(/^[\w-]+$/),
  cursor: Id.optional(),
  limit: PageSize.optional(),
}));
export type ReadShared = z.output<typeof ReadShared>;

/** A conversation as its read-only link shows it: who wrote, but no account. */
export const SharedConversation = object(() => ({
  title: z.string(),
  description: z.string().nullable(),
  items: z.array(
    z.object({
      ...Message.pick({
        id: true,
        role: true,
        type: true,
        content: true,
        parts: true,
        status: true,
        model: true,
        createdAt: true,
      }).shape,
      authorName: z.string().nullable(),
    }),
  ),
  nextCursor: z.string().nullable(),
}));
export type SharedConversation = z.output<typeof SharedConversation>;
