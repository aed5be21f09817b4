import * as z from "zod";
import type { Receipt } from "./events.ts";
import { Message } from "./messages.ts";
import { object } from "./object.ts";
import { ModelId, Person } from "./shapes.ts";
import { id, text } from "./text.ts";

const Id = id();

/** How an answer is made. */
const answering = {
  model: ModelId.optional(),
  /** Who answers, in this order, when the model fails; without it, whoever the operator has named. */
  fallbacks: z.array(ModelId).max(5).optional(),
  /** An answer that breaks off after its first words is begun again by the next model. */
  failover: z.boolean().optional(),
  temperature: z.number().min(0).max(2).optional(),
  topP: z.number().min(0).max(1).optional(),
  topK: z.int().min(1).max(1_000).optional(),
  reasoning: z.enum(["off", "low", "medium", "high"]).optional(),
  maxTokens: z.int().min(1).max(1_000_000).optional(),
};

const ClientMessageId = text().min(1).max(100);

export const SendMessage = z
  .object({
    conversationId: Id.optional(),
    clientMessageId: ClientMessageId,
    content: text().min(1),
    parentId: Id.optional(),
    /** The message that this one answers. It says so, and makes no branch. */
    replyToId: Id.optional(),
    ...answering,
    answer: z.boolean().optional(),
  })
  .superRefine(({ parentId, replyToId, conversationId }, context) => {
    if (conversationId !== undefined) return;
    for (const [path, value] of Object.entries({ parentId, replyToId })) {
      if (value !== undefined)
        context.addIssue({
          code: "custom",
          path: [path],
          message: "This is a message of a conversation: name the conversation too",
        });
    }
  });
export type SendMessage = z.output<typeof SendMessage>;

export const Regenerate = object(() => ({
  /** The answer to give again, or the message to answer. */
  messageId: Id,
  /** Makes it happen once, as with `send`. */
  clientMessageId: ClientMessageId.optional(),
  ...answering,
}));
export type Regenerate = z.output<typeof Regenerate>;

export type Answering = Pick<SendMessage, keyof typeof answering>;

export const SendAccepted = object(() => ({
  conversationId: Id,
  message: Message,
  answer: z.object({ messageId: Id, runId: Id }).nullable(),
}));
export type SendAccepted = z.output<typeof SendAccepted>;

export const StopRun = object(() => ({ runId: Id }));
export type StopRun = z.output<typeof StopRun>;

export const GetRun = object(() => ({ runId: Id }));
export type GetRun = z.output<typeof GetRun>;

/** What was sent to the model, as its vendor was asked. */
const SentRequest = object(() => ({
  system: z.string().nullable(),
  /** What stands for the messages that no longer fitted. */
  summary: z.string().nullable(),
  messages: z.array(z.object({ id: Id, role: z.enum(["user", "assistant"]), content: z.string() })),
  /** Messages of the branch that were left out or are in the summary. */
  omitted: z.int(),
  estimatedTokens: z.int(),
  parameters: z.object({
    temperature: z.number().nullable(),
    topP: z.number().nullable(),
    topK: z.number().nullable(),
    maxTokens: z.int().nullable(),
    reasoning: z.string(),
  }),
}));

export const Run = object(() => ({
  id: Id,
  conversationId: Id,
  messageId: Id,
  status: z.enum(["running", "completed", "stopped", "interrupted", "failed"]),
  provider: z.string(),
  model: z.string(),
  startedAt: z.date(),
  endedAt: z.date().nullable(),
  receipt: z.custom<Receipt>(),
  /** For who asked; null for others, and before it is sent. */
  request: SentRequest.nullable(),
}));
export type Run = z.output<typeof Run>;

export const FollowRun = object(() => ({ runId: Id, lastEventId: z.string().max(100).nullish() }));
export type FollowRun = z.output<typeof FollowRun>;

export const FollowLive = object(() => ({ lastEventId: z.string().max(100).nullish() }));
export type FollowLive = z.output<typeof FollowLive>;

export const Room = object(() => ({ conversationId: Id }));
export type Room = z.output<typeof Room>;

/** Who is in the room now. */
export const Entered = object(() => ({ users: z.array(Person) }));
export type Entered = z.output<typeof Entered>;

export const Typing = object(() => ({ conversationId: Id, typing: z.boolean() }));
export type Typing = z.output<typeof Typing>;

export const MarkRead = object(() => ({ conversationId: Id, messageId: Id }));
export type MarkRead = z.output<typeof MarkRead>;
