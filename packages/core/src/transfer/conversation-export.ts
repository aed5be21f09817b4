import { type ConversationExport, type ExportConversation, maxImportedMessages } from "@parley/contract";
import type { Audit } from "../audit/audit.ts";
import type { Actor, Caller } from "../auth/actor.ts";
import { firstId, foreignCursor, uuid } from "../cursors.ts";
import { AppError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import { noConversation } from "../refusals.ts";
import { fileName } from "./file-name.ts";
import { jsonFile, jsonMessage } from "./json-file.ts";
import { markdownHead, markdownMessage } from "./markdown.ts";
import { findSavedConversation, listBranchPart, listTree, type SavedConversation, type SavedMessage } from "./queries.ts";

/** A part can be sent back as an import, whose body has at most a mebibyte. */
const maxBytes = 512 * 1024;
const limit = maxImportedMessages;

const placeInTree = new RegExp(`^(\\d{1,6})_(${uuid})$`);
const placeInBranch = new RegExp(`^(\\d{1,6})_(${uuid})_(${uuid})$`);

interface Written {
  part: number;
  content: string;
  nextCursor: string | null;
}

export function createExport({ database, clock }: Pick<Ports, "database" | "clock">, { audit }: { audit: Audit }) {
  async function writeJson(userId: string, conversation: SavedConversation, cursor: string | undefined): Promise<Written> {
    const [part, after] = parseCursor(placeInTree, cursor);
    const { messages, hasMore } = await listTree(database, { userId, id: conversation.id, after, limit, maxBytes });
    const lines = fill(messages, jsonMessage);
    const isCut = hasMore || lines.length < messages.length;
    const count = isCut ? countComplete(messages.slice(0, lines.length)) : lines.length;
    const last = messages[count - 1];
    return {
      part,
      content: jsonFile(conversation, lines.slice(0, count), clock.now()),
      nextCursor: isCut && last ? `${part + 1}_${last.id}` : null,
    };
  }

  async function writeMarkdown(userId: string, conversation: SavedConversation, cursor: string | undefined): Promise<Written> {
    const [part, after, end = null] = parseCursor(placeInBranch, cursor);
    const wanted = { userId, id: conversation.id, after, limit, maxBytes, leafId: end };
    const { messages, leafId, hasMore } = await listBranchPart(database, wanted);
    if (cursor !== undefined && messages[0]?.parentId !== after) {
      throw new AppError("conflict", "The conversation has changed: begin the export again");
    }
    const written = fill(messages, markdownMessage);
    const last = hasMore || written.length < messages.length ? messages[written.length - 1] : undefined;
    return {
      part,
      content: [...(part === 1 ? [markdownHead(conversation)] : []), ...written].join("\n"),
      nextCursor: last ? `${part + 1}_${last.id}_${leafId}` : null,
    };
  }

  return {
    async export(actor: Actor, { id, format, cursor }: ExportConversation, { address }: Caller): Promise<ConversationExport> {
      const { userId } = actor;
      const conversation = await findSavedConversation(database, { userId, id });
      if (!conversation) throw noConversation();
      const write = format === "json" ? writeJson : writeMarkdown;
      const { part, content, nextCursor } = await write(userId, conversation, cursor);
      audit.done(actor.userId, "conversation.export", { target: `conversation:${id}`, address, details: { format, part } });
      const [extension, mediaType] = format === "json" ? ["json", "application/json"] : ["md", "text/markdown; charset=utf-8"];
      return { fileName: fileName(conversation.title, part, extension), mediaType, content, nextCursor };
    },
  };
}

function parseCursor(pattern: RegExp, cursor: string | undefined): [part: number, after: string, end?: string] {
  if (cursor === undefined) return [1, firstId];
  const [, part, after, end] = pattern.exec(cursor) ?? [];
  if (part === undefined || after === undefined) throw foreignCursor();
  return end === undefined ? [Number(part), after] : [Number(part), after, end];
}

/** As many as fit, and at least one. */
function fill(messages: readonly SavedMessage[], write: (message: SavedMessage) => string): string[] {
  const encoder = new TextEncoder();
  const written: string[] = [];
  let bytes = 0;
  for (const message of messages) {
    const text = write(message);
    bytes += encoder.encode(text).length;
    if (written.length > 0 && bytes > maxBytes) break;
    written.push(text);
  }
  return written;
}

/**
 * How many can be imported without those that follow. Nodes whose clocks differ make ids that sort before those of the
 * messages they answer: what belongs together is not cut in two.
 */
function countComplete(messages: readonly SavedMessage[]): number {
  let count = 0;
  let furthest = firstId;
  for (const [index, { id, parentId, replyToId }] of messages.entries()) {
    for (const named of [parentId, replyToId]) if (named !== null && named > furthest) furthest = named;
    if (furthest <= id) count = index + 1;
  }
  return count || messages.length;
}
