"use client";

export type { ChatMessage } from "./chat-message.ts";
export { parleyKeys } from "./keys.ts";
export type { LiveState } from "./live.ts";
export { ParleyProvider, type ParleyProviderProps, useParley, useSignedIn } from "./provider.ts";
export { type Chat, type ChatOptions, useChat } from "./use-chat.ts";
export { type ConversationFilter, type ConversationList, useConversations } from "./use-conversations.ts";
export { useLive } from "./use-live.ts";
