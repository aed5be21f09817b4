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
export { isParleyError, type ParleyError } from "./errors.ts";
export type { ParleyOptions, ParleyToken, ParleyTransport, WebSocketConstructor } from "./options.ts";
export { createParley, type FollowOptions, type Parley, type ParleyApi } from "./parley.ts";
export type { ParleyInputs, ParleyOutputs } from "./shapes.ts";
