import * as z from "zod";
import { ApiKey } from "./api-key.ts";
import { Plan, Username } from "./auth.ts";
import { jsonObject } from "./json-object.ts";
import { object } from "./object.ts";
import { MessageRole, MessageType, Metadata, Rating, TokenCounts } from "./shapes.ts";
import { id, text } from "./text.ts";

/** What letters and pages are written in. */
const Language = z.enum(["en", "he", "ar", "ru"]);

const TimeZone = text().max(64).refine(isTimeZone, "This is not a time zone: Asia/Jerusalem is one");

export const Profile = object(() => ({
  id: id(),
  email: z.string(),
  emailVerified: z.boolean(),
  username: z.string().nullable(),
  displayName: z.string(),
  bio: z.string().nullable(),
  timeZone: z.string().nullable(),
  language: z.string().nullable(),
  plan: Plan,
  role: z.string(),
  lastLoginAt: z.date().nullable(),
  lastActiveAt: z.date().nullable(),
  createdAt: z.date(),
}));
export type Profile = z.output<typeof Profile>;

/** What is left out stays; null clears. */
export const UpdateProfile = object(() => ({
  displayName: text().trim().min(1).max(100).optional(),
  username: Username.nullish(),
  bio: text().trim().min(1).max(1_000).nullish(),
  timeZone: TimeZone.nullish(),
  language: Language.nullish(),
}));
export type UpdateProfile = z.output<typeof UpdateProfile>;

/** Whatever a client wants to remember of a person, up to 16 KB. */
export const SetPreferences = jsonObject({ maxBytes: 16_384, maxKeyLength: 64, maxDepth: 8 });
export const Preferences = z.record(z.string(), z.unknown());
export type Preferences = z.output<typeof Preferences>;

export const UsageRange = z.enum(["24h", "7d", "30d"]);
export type UsageRange = z.output<typeof UsageRange>;

export const GetUsage = object(() => ({ range: UsageRange }));
export type GetUsage = z.output<typeof GetUsage>;

const Allowance = object(() => ({ limit: z.int().nullable(), used: z.int() }));

export const Usage = object(() => ({
  range: UsageRange,
  since: z.date(),
  messages: z.int(),
  answers: z.int(),
  /** A price that is not known makes the cost null. */
  models: z.array(
    z.object({
      provider: z.string(),
      model: z.string(),
      answers: z.int(),
      tokens: TokenCounts,
      costMicros: z.number().nullable(),
    }),
  ),
  /** This month's, with what is set aside for answers under way. A limit of null is none. */
  budget: z.object({ tokens: Allowance, micros: Allowance, resetsAt: z.date() }),
}));
export type Usage = z.output<typeof Usage>;

/** Without a cursor it begins; `nextCursor` of one part asks for the next. */
export const GetExport = object(() => ({ cursor: z.string().max(100).optional() })).optional();
export type GetExport = z.output<typeof GetExport>;

const ExportedSession = object(() => ({
  id: id(),
  device: z.object({ name: z.string().nullable(), userAgent: z.string().nullable() }),
  ip: z.string().nullable(),
  createdAt: z.date(),
  lastActiveAt: z.date(),
  expiresAt: z.date(),
  endedAt: z.date().nullable(),
}));
export type ExportedSession = z.output<typeof ExportedSession>;

const ExportedMessage = object(() => ({
  id: id(),
  parentId: id().nullable(),
  replyToId: id().nullable(),
  role: MessageRole,
  type: MessageType,
  author: z.object({ id: id(), name: z.string() }).nullable(),
  content: z.string(),
  /** Reasoning, tools and files: what the content does not say. */
  parts: z.array(z.unknown()),
  status: z.string(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  metadata: Metadata,
  /** What it said before, oldest first; only of what one has written oneself. */
  earlier: z.array(z.object({ content: z.string(), replacedAt: z.date() })),
  /** One's own. */
  rating: z.object({ rating: Rating, note: z.string().nullable(), ratedAt: z.date() }).nullable(),
  editedAt: z.date().nullable(),
  createdAt: z.date(),
}));
export type ExportedMessage = z.output<typeof ExportedMessage>;

const ExportedConversation = object(() => ({
  id: id(),
  title: z.string(),
  description: z.string().nullable(),
  visibility: z.string(),
  tags: z.array(z.string()),
  metadata: Metadata,
  systemPrompt: z.string().nullable(),
  model: z.string().nullable(),
  role: z.string(),
  createdAt: z.date(),
  messages: z.array(ExportedMessage),
}));
export type ExportedConversation = z.output<typeof ExportedConversation>;

/** One that I am no longer in: only what I wrote there. */
const LeftConversation = object(() => ({ id: id(), messages: z.array(ExportedMessage) }));

/** Everything of mine. A conversation that is longer than a part goes on in the next. */
export const AccountExport = object(() => ({
  exportedAt: z.date(),
  profile: Profile,
  preferences: Preferences,
  sessions: z.array(ExportedSession),
  apiKeys: z.array(ApiKey),
  conversations: z.array(ExportedConversation),
  leftConversations: z.array(LeftConversation),
  nextCursor: z.string().nullable(),
}));
export type AccountExport = z.output<typeof AccountExport>;

export const DeleteAccount = object(() => ({ password: text().min(1).max(128) }));
export type DeleteAccount = z.output<typeof DeleteAccount>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
