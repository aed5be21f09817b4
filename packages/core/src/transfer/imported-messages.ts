import type { Message, MessagePart } from "@parley/contract/events";
import type { FileMessage } from "./file-checks.ts";
import { importedId } from "./imported-ids.ts";
import { importedAuthor } from "./queries.ts";

export interface ImportedMessage {
  row: Omit<Message, "conversationId" | "author" | "runId" | "siblings"> & { authorId: string | null };
  rating: FileMessage["rating"];
}

/** The rows that become of the messages of a file, for the one who imports them. */
export async function toImported(
  { userId, id }: { userId: string; id: string },
  messages: readonly FileMessage[],
): Promise<ImportedMessage[]> {
  const times = new Map(messages.map((message) => [message.id, message.createdAt]));
  const named = new Set(messages.flatMap((message) => [message.id, message.parentId, message.replyToId]));
  const renamed = new Map<string | null, string>();
  await Promise.all(
    [...named].map(async (old) => {
      if (old !== null) renamed.set(old, await importedId(id, old, times.get(old) ?? null));
    }),
  );
  const newId = (old: string | null) => renamed.get(old) ?? null;

  return messages.map(({ author, parts, rating, status, metadata, ...rest }) => ({
    row: {
      ...rest,
      id: renamed.get(rest.id) ?? rest.id,
      parentId: newId(rest.parentId),
      replyToId: newId(rest.replyToId),
      parts: fullParts(rest.content, parts),
      // Nothing writes it any more.
      status: status === "running" ? "interrupted" : status,
      ...authorship(userId, author, metadata),
    },
    rating,
  }));
}

/** One's own messages stay one's own. Others' keep the name that the file gives them, and belong to nobody. */
function authorship(userId: string, author: FileMessage["author"], metadata: Record<string, unknown>) {
  const { [importedAuthor]: _, ...kept } = metadata;
  if (author === null) return { authorId: null, metadata: kept };
  if (author.id === userId) return { authorId: userId, metadata: kept };
  return { authorId: null, metadata: { ...kept, [importedAuthor]: author.name } };
}

function fullParts(content: string, parts: FileMessage["parts"]): MessagePart[] {
  if (!parts) return content === "" ? [] : [{ type: "text", text: content }];
  let from = 0;
  return parts.map((part) => {
    if (part.type !== "text") return part;
    const text = content.slice(from, from + part.length);
    from += part.length;
    return { type: "text", text };
  });
}
