import type { ConversationFile } from "@parley/contract";
import { type AppError, invalidField } from "../errors.ts";

export type FileMessage = ConversationFile["messages"][number];

/** Where a message is wrong, in the words of its input. */
export function faultAt(index: number, field: keyof FileMessage, message: string): AppError {
  return invalidField(`data.messages.${index}.${field}`, message);
}

/** Each message once, none of them before itself, none from the future. In any order. */
export function checkFile({ conversation, messages }: ConversationFile, latest: Date): void {
  if (conversation.createdAt > latest) {
    throw invalidField("data.conversation.createdAt", "This conversation comes from the future");
  }
  const places = new Map<string, number>();
  for (const [index, { id, createdAt, editedAt }] of messages.entries()) {
    if (places.has(id)) throw faultAt(index, "id", "This message is there twice");
    if (createdAt > latest) throw faultAt(index, "createdAt", "This message comes from the future");
    if (editedAt !== null && editedAt > latest) throw faultAt(index, "editedAt", "This change comes from the future");
    places.set(id, index);
  }
  // By which walk a message was met first: a walk that meets its own steps goes in a circle.
  const walks = new Map<string, number>();
  for (const [walk, { id }] of messages.entries()) {
    let next: string | null = id;
    while (next !== null && !walks.has(next)) {
      walks.set(next, walk);
      const place = places.get(next);
      next = place === undefined ? null : (messages[place]?.parentId ?? null);
    }
    if (next !== null && walks.get(next) === walk) {
      throw faultAt(places.get(next) ?? walk, "parentId", "This message comes before itself");
    }
  }
}
