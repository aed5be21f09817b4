export * from "./admin.ts";
export * from "./api-key.ts";
export * from "./auth.ts";
export * from "./chat.ts";
export * from "./errors.ts";
export type {
  Attempt,
  LiveEvent,
  MemberRole,
  MessagePart,
  MessageRole,
  MessageStatus,
  ModelRef,
  Person,
  Receipt,
  RunError,
  RunEvent,
  RunStatus,
  TokenCounts,
  Trouble,
} from "./events.ts";
export * from "./model.ts";
export { ById, text } from "./text.ts";
export * from "./user.ts";
