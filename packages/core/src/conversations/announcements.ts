import type { Conversation, Person } from "@parley/contract/events";
import type { Live } from "../live/live.ts";
import type { Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { findMemberIds } from "./member-queries.ts";
import { findConversation, findConversationOfMembers } from "./queries.ts";

export type Announcements = ReturnType<typeof createAnnouncements>;

/** Nobody has changed a conversation for so long: it is told of as it is. */
const quietMs = 250;
/** One that is changed all the time is told of after so many looks at it. */
const mostLooks = 4;

/** What has become of a conversation, told to each member as that member sees it. */
export function createAnnouncements(
  { database, background }: Pick<Ports, "database" | "background">,
  { publicUrl }: Pick<Settings, "publicUrl">,
  { live }: { live: Live },
) {
  const source = { database, publicUrl };
  /** Conversations of which somebody will be told, and whether they have changed since the last look. */
  const waiting = new Map<string, boolean>();

  async function tell(id: string) {
    for (const { userId, conversation } of await findConversationOfMembers(source, id)) {
      live.tell([userId], { type: "conversation-updated", conversation });
    }
  }

  async function tellUntilQuiet(id: string) {
    for (let looks = 1; ; looks++) {
      waiting.set(id, false);
      await new Promise((resolve) => setTimeout(resolve, quietMs));
      if (!waiting.get(id)) return;
      if (looks % mostLooks === 0) await tell(id);
    }
  }

  /**
   * Read when it is quiet, and not before: a burst is told once, and what any node tells last was read after the last change.
   * A process that closes waits for it, as for all work in the background.
   */
  function updated(id: string) {
    const isWaiting = waiting.has(id);
    waiting.set(id, true);
    if (isWaiting) return;
    background.run("tell of a changed conversation", async () => {
      await tellUntilQuiet(id).finally(() => waiting.delete(id));
      await tell(id);
    });
  }

  return {
    updated,

    /** For what concerns one person only. Answers with what was told; null where the person is no member. */
    async updatedFor(userId: string, id: string): Promise<Conversation | null> {
      const conversation = await findConversation(source, userId, id);
      if (conversation) live.tell([userId], { type: "conversation-updated", conversation });
      return conversation;
    },

    /** Whoever has come finds a new conversation; the others find somebody new in theirs. */
    async joined(id: string, user: Person): Promise<void> {
      const [conversation, memberIds] = await Promise.all([findConversation(source, user.id, id), findMemberIds(database, id)]);
      if (conversation) live.tell([user.id], { type: "conversation-created", conversation });
      const others = memberIds.filter((memberId) => memberId !== user.id);
      live.tell(others, { type: "member-joined", conversationId: id, user });
      updated(id);
    },

    /** For whoever has gone, the conversation is gone. */
    async left(id: string, user: Person): Promise<void> {
      live.tell([user.id], { type: "conversation-deleted", conversationId: id });
      live.tell(await findMemberIds(database, id), { type: "member-left", conversationId: id, user });
      updated(id);
    },
  };
}
