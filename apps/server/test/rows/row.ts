import type { Client, Person } from "../kit.ts";

/** What belongs to somebody else. */
export interface Ids {
  conversationId: string;
  messageId: string;
  sessionId: string;
  keyId: string;
  userId: string;
  runId: string;
}

export interface Row {
  /** Guests may call it. */
  isOpen?: boolean;
  permission?: string;
  /** What its work comes to for ids and links that are made up here. */
  outcome?: "not_found";
  call: (api: Client, person: Person) => Promise<unknown>;
  wrong?: (api: Client) => Promise<unknown>;
  foreign?: (api: Client, ids: Ids) => Promise<unknown>;
}

export const missing = "01a1fd8a-0000-7000-8000-000000000000";
export const nobodys: Ids = {
  conversationId: missing,
  messageId: missing,
  sessionId: missing,
  keyId: missing,
  userId: missing,
  runId: missing,
};
export const password = "Correct-horse-1";
export const unique = () => Math.random().toString(36).slice(2);

export const send = (api: Client, conversationId?: string) =>
  api.chat.send.mutate({ clientMessageId: unique(), content: "Hello", answer: false, conversationId });
