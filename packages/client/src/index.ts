export type { AppRouter } from "@parley/api/types";
export type { ErrorCode, ErrorData, ErrorReason, InputIssue } from "@parley/contract/errors";
export type {
  Attempt,
  Conversation,
  LiveEvent,
  MemberRole,
  Message,
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
} from "@parley/contract/events";
export type { ParleyAuth } from "./auth/auth.ts";
export type { EndReason } from "./auth/end-reason.ts";
export { type Credentials, localStorageStore, memoryStore, type TokenStore } from "./auth/token-store.ts";
export { type Answer, AnswerError, type AskOptions } from "./chat/answer.ts";
export { type AssembledAnswer, type AssembledTool, assemble, emptyAnswer } from "./chat/assemble.ts";
export type { ParleyChat } from "./chat/chat.ts";
export type { FollowedEvent, FollowOptions, LiveOptions } from "./chat/follow.ts";
export type { SendOptions } from "./chat/send.ts";
export { isParleyError, type ParleyError } from "./errors.ts";
export type { AuthOptions, ParleyOptions, ParleyToken, ParleyTransport, WebSocketConstructor } from "./options.ts";
export { createParley, type Parley, type ParleyApi } from "./parley.ts";
export type { ParleyInputs, ParleyOutputs } from "./shapes.ts";
