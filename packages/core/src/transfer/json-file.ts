import type { WrittenConversationFile } from "@parley/contract";
import type { SavedConversation, SavedMessage } from "./queries.ts";

type WrittenMessage = WrittenConversationFile["messages"][number];
type WrittenPart = NonNullable<WrittenMessage["parts"]>[number];

/** A line a message, so that a file can be read and compared. */
export function jsonMessage(message: SavedMessage): string {
  const { parts, editedAt, createdAt, ...rest } = message;
  const written: WrittenMessage = {
    ...rest,
    ...writtenParts(message),
    editedAt: editedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
  return JSON.stringify(written);
}

export function jsonFile(conversation: SavedConversation, lines: readonly string[], exportedAt: Date): string {
  const head: Omit<WrittenConversationFile, "messages"> = {
    format: "parley.conversation",
    version: 1,
    exportedAt: exportedAt.toISOString(),
    conversation: { ...conversation, createdAt: conversation.createdAt.toISOString() },
  };
  return `${JSON.stringify(head).slice(0, -1)},"messages":[\n${lines.join(",\n")}\n]}\n`;
}

/** The text stands in the content: a text part says how much of it it is, and where it is the only part, nothing has to be said. */
function writtenParts({ content, parts }: SavedMessage): { parts?: WrittenPart[] } {
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  const isSaid = texts.join("") === content;
  if (isSaid && parts.length === texts.length && texts.length <= 1) return {};
  // Text parts that say something else than the content give way to it.
  const lengths = isSaid ? texts.map((text) => text.length) : texts.map((_, index) => (index === 0 ? content.length : 0));
  let next = 0;
  const written = parts.flatMap((part): WrittenPart[] => {
    if (part.type !== "text") return [part];
    const length = lengths[next++] ?? 0;
    return length === 0 ? [] : [{ type: "text", length }];
  });
  return { parts: written };
}
