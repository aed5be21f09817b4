import * as z from "zod";
import { CreateConversation } from "./conversations.ts";
import { type ErrorReason, errorReasons } from "./errors.ts";
import { jsonValue } from "./json-object.ts";
import { object } from "./object.ts";
import { GivenMetadata, MessageRole, MessageStatus, MessageType, Rating } from "./shapes.ts";
import { id, text } from "./text.ts";

const Id = id();

/** Of one part of a file. */
export const maxImportedMessages = 2_000;
/** What a person wrote once stays, whatever the limit is today. */
const maxOwnLength = 200_000;
const maxLength = 1_000_000;

const earliest = new Date("2000-01-01T00:00:00.000Z");
const latest = new Date("2100-01-01T00:00:00.000Z");
const Instant = z.iso
  .datetime()
  .transform((time) => new Date(time))
  .refine((time) => time >= earliest && time < latest, "This is not a time of a conversation");

const Name = text().min(1).max(200);
const CallId = text().max(200);
const ToolValue = jsonValue({ maxBytes: 512 * 1024, maxKeyLength: 1_000, maxDepth: 64 });

const FilePart = z.discriminatedUnion("type", [
  /** How much of the content it is, in UTF-16 units, after the text parts before it: the text itself stands there once. */
  object(() => ({ type: z.literal("text"), length: z.int().min(1).max(maxLength) })),
  object(() => ({ type: z.literal("reasoning"), text: text().max(maxLength) })),
  object(() => ({ type: z.literal("tool-call"), callId: CallId, name: Name, input: ToolValue })),
  object(() => ({ type: z.literal("tool-result"), callId: CallId, output: ToolValue, isError: z.boolean() })),
]);

const Count = z.int().min(0);

const FileMessage = z
  .object({
    id: Id,
    parentId: Id.nullable(),
    replyToId: Id.nullable(),
    role: MessageRole,
    type: MessageType,
    author: object(() => ({ id: Id.nullable(), name: Name })).nullable(),
    content: text().max(maxLength),
    /** Without them, the content is the only part. */
    parts: z.array(FilePart).max(1_000).optional(),
    status: MessageStatus,
    provider: Name.nullable(),
    model: Name.nullable(),
    usage: object(() => ({ input: Count, cacheRead: Count, cacheWrite: Count, output: Count })).nullable(),
    finishReason: Name.nullable(),
    error: object(() => ({
      reason: z.custom<ErrorReason>(isReason, "This is not a reason"),
      message: text().max(2_000),
    })).nullable(),
    /** Of whoever exports. */
    rating: object(() => ({ rating: Rating, note: text().max(2_000).nullable() })).nullable(),
    metadata: GivenMetadata,
    editedAt: Instant.nullable(),
    createdAt: Instant,
  })
  .superRefine(({ role, author, content, parts = [] }, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (role !== "user" && author !== null) fault("author", "Only what a person wrote has an author");
    if (role === "user" && content.length > maxOwnLength) fault("content", `A message has at most ${maxOwnLength} characters`);
    const ends = textEnds(parts);
    if (ends.length === 0) return;
    if (ends.at(-1) !== content.length) fault("parts", "The text parts are not as long as the content");
    else if (ends.some((end) => isInsidePair(content, end))) fault("parts", "A text part ends within a character");
  });

/** A conversation, or a part of one, as it is written to a file: all branches, the older messages first. */
export const ConversationFile = object(() => ({
  format: z.literal("parley.conversation"),
  version: z.literal(1),
  exportedAt: Instant,
  conversation: z.object({
    id: Id,
    ...CreateConversation.required().omit({ visibility: true }).shape,
    createdAt: Instant,
  }),
  messages: z.array(FileMessage).max(maxImportedMessages),
}));
export type ConversationFile = z.output<typeof ConversationFile>;
/** The same before it was read: times are text. */
export type WrittenConversationFile = z.input<typeof ConversationFile>;

export const ExportConversation = object(() => ({
  id: Id,
  format: z.enum(["json", "markdown"]),
  /** Without one it begins; `nextCursor` of one part asks for the next. */
  cursor: z.string().max(100).optional(),
}));
export type ExportConversation = z.output<typeof ExportConversation>;

export const ConversationExport = object(() => ({
  fileName: z.string(),
  mediaType: z.string(),
  content: z.string(),
  nextCursor: z.string().nullable(),
}));
export type ConversationExport = z.output<typeof ConversationExport>;

export const ImportConversation = object(() => ({
  data: ConversationFile,
  /** The conversation that the first part made, for each part after it. */
  into: Id.optional(),
}));
export type ImportConversation = z.output<typeof ImportConversation>;

function textEnds(parts: z.output<typeof FilePart>[]): number[] {
  const ends: number[] = [];
  for (const part of parts) if (part.type === "text") ends.push((ends.at(-1) ?? 0) + part.length);
  return ends;
}

function isInsidePair(content: string, index: number): boolean {
  const unit = content.charCodeAt(index);
  return unit >= 0xdc00 && unit <= 0xdfff;
}

function isReason(value: unknown): boolean {
  return typeof value === "string" && Object.hasOwn(errorReasons, value);
}
