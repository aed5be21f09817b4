export * from "./admin.ts";
export * from "./api-key.ts";
export * from "./auth.ts";
export * from "./chat.ts";
export * from "./conversations.ts";
export * from "./errors.ts";
export type {
  Attempt,
  LiveEvent,
  MemberRole,
  MessagePart,
  MessageRole,
  MessageStatus,
  ModelRef,
  PassingEvent,
  Person,
  Receipt,
  RunError,
  RunEvent,
  RunStatus,
  TokenCounts,
  Trouble,
} from "./events.ts";
export * from "./messages.ts";
export * from "./metrics.ts";
export * from "./model.ts";
export { ById, isStorable, text } from "./text.ts";
export * from "./transfer.ts";
export * from "./user.ts";
