import type {
  Conversation,
  ConversationPage,
  CreateConversation,
  ListConversations,
  PinConversation,
  UpdateConversation,
} from "@parley/contract";
import type { AccessChanges } from "../access/changes.ts";
import type { Audit } from "../audit/audit.ts";
import type { Actor, Caller } from "../auth/actor.ts";
import type { Live } from "../live/live.ts";
import type { Models } from "../models/models.ts";
import type { Ports } from "../ports.ts";
import { noConversation, onlyOwners, readOnly } from "../refusals.ts";
import type { Settings } from "../settings.ts";
import type { Announcements } from "./announcements.ts";
import { deleteConversations, insertConversation, pinConversation, updateConversation } from "./change-queries.ts";
import { formatCursor, formatTimeCursor, parseCursor, parseTimeCursor } from "./cursors.ts";
import { countConversations, listConversations, type SortBy, type SortOrder } from "./list-queries.ts";
import { changeAsOwner } from "./locks.ts";
import { findConversation, findMembership } from "./queries.ts";

export type Conversations = ReturnType<typeof createConversations>;

const perPage = 20;
/** Until somebody says something in it. */
const untitled = "…";

export function createConversations(
  { database, ids }: Pick<Ports, "database" | "ids">,
  { publicUrl }: Pick<Settings, "publicUrl">,
  parts: { access: AccessChanges; announcements: Announcements; audit: Audit; live: Live; models: Models },
) {
  const { access, announcements, audit, live, models } = parts;
  const source = { database, publicUrl };

  async function get(actor: Actor, id: string): Promise<Conversation> {
    const conversation = await findConversation(source, actor.userId, id);
    if (!conversation) throw noConversation();
    return conversation;
  }

  async function refuseUpdate(actor: Actor, { id }: UpdateConversation): Promise<never> {
    const role = await findMembership(database, actor.userId, id);
    if (role === null) throw noConversation();
    throw role === "viewer" ? readOnly() : onlyOwners();
  }

  return {
    get,

    async list(actor: Actor, input: ListConversations): Promise<ConversationPage> {
      const { limit = perPage, sortBy = "activity", cursor } = input;
      const { list, sortOrder, format, parse } = sorting(sortBy, input.sortOrder);
      const after = cursor === undefined ? null : parse(list, cursor);
      const { archived = false, pinned = null, tag = null, search = null } = input;
      const where = { userId: actor.userId, archived, pinned, tag, search };
      const [rows, total] = await Promise.all([
        listConversations(source, where, { sortBy, sortOrder, after, limit: limit + 1 }),
        input.withTotal ? countConversations(database, where) : undefined,
      ]);
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      const nextCursor = last ? format(list, last.place) : null;
      return { items: page.map(({ conversation }) => conversation), nextCursor, total };
    },

    async create(actor: Actor, { title, model, ...input }: CreateConversation): Promise<Conversation> {
      if (model != null) models.choose(model, actor.plan);
      const id = ids.next();
      const titleBy = title === undefined ? "words" : "person";
      await insertConversation(database, { id, ownerId: actor.userId, title: title ?? untitled, titleBy, model, ...input });
      const conversation = await get(actor, id);
      live.tell([actor.userId], { type: "conversation-created", conversation });
      return conversation;
    },

    async update(actor: Actor, input: UpdateConversation, { address }: Caller): Promise<Conversation> {
      if (input.model != null) models.choose(input.model, actor.plan);
      const before = await updateConversation(database, actor.userId, input);
      if (!before) return refuseUpdate(actor, input);
      if (input.visibility !== undefined && input.visibility !== before.visibility) {
        const details = { visibility: input.visibility };
        audit.done(actor.userId, "conversation.visibility", { target: `conversation:${input.id}`, address, details });
      }
      const changed = namesOf(input);
      if (changed.length > 0) {
        const details = { changed: changed.join(" ") };
        audit.done(actor.userId, "conversation.update", { target: `conversation:${input.id}`, address, details });
      }
      announcements.updated(input.id);
      return get(actor, input.id);
    },

    /** For this person only. */
    async pin(actor: Actor, { id, pinned }: PinConversation): Promise<Conversation> {
      await pinConversation(database, { id, userId: actor.userId, pinned });
      const conversation = await announcements.updatedFor(actor.userId, id);
      if (!conversation) throw noConversation();
      return conversation;
    },

    async delete(actor: Actor, id: string, { address }: Caller): Promise<void> {
      const people = await changeAsOwner(database, { userId: actor.userId, id }, async (transaction, present) => {
        await deleteConversations(transaction, [id]);
        return [...present.keys()];
      });
      for (const userId of people) access.apply({ kind: "membership_ended", userId, conversationId: id });
      live.tell(people, { type: "conversation-deleted", conversationId: id });
      audit.done(actor.userId, "conversation.delete", { target: `conversation:${id}`, address });
    },
  };
}

/** What is to be changed, but for who may find it: that has a line of its own. */
function namesOf({ id: _, visibility: __, ...changes }: UpdateConversation): string[] {
  return Object.entries(changes).flatMap(([name, wanted]) => (wanted === undefined ? [] : [name]));
}

/** The newest comes first, and the first letter. */
function sorting(sortBy: SortBy, sortOrder: SortOrder = sortBy === "title" ? "asc" : "desc") {
  const list = `${sortBy}-${sortOrder}`;
  if (sortBy === "title") return { list, sortOrder, format: formatCursor, parse: parseCursor };
  return { list, sortOrder, format: formatTimeCursor, parse: parseTimeCursor };
}
