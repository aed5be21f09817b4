import type { AssembledAnswer, LiveEvent, Message, Parley } from "@parley/client";
import type { QueryClient } from "@tanstack/react-query";
import { withAnswer } from "./chat-message.ts";
import { applyToConversations, type ConversationItems } from "./conversations.ts";
import { parleyKeys } from "./keys.ts";
import { applyToBranch, type Branch, patchMessage, turnTo } from "./messages.ts";
import { createStore } from "./store.ts";
import type { ConversationFilter } from "./use-conversations.ts";

/** Null where the data has to be read again. */
type Change<Data> = (data: Data) => Data | null;
type BranchChange = { conversationId: string; change: Change<Branch> };
interface Heard {
  event?: LiveEvent;
  branch?: BranchChange;
}

export type Cache = ReturnType<typeof createCache>;

const mostReadings = 4;
const touchMs = 300;
const firstPage = 50;

/** What the hooks have read, kept true by what is heard. */
export function createCache(parley: Parley, client: QueryClient) {
  const { chat } = parley.api;
  /** What is heard while somebody reads: the answer may have been written before it. */
  const readings = new Set<Heard[]>();
  const touched = new Map<string, ReturnType<typeof setTimeout>>();
  /** Another one for everybody who signs in: what was asked for in the one before comes too late. */
  const eras = createStore(0);

  async function read<Data>(load: () => Promise<Data>, changeOf: (heard: Heard) => Change<Data>): Promise<Data> {
    for (let tries = 1; ; tries++) {
      const heard: Heard[] = [];
      readings.add(heard);
      try {
        const loaded = await load();
        const known = heard.reduce<Data | null>((data, each) => data && changeOf(each)(data), loaded);
        if (known !== null || tries === mostReadings) return known ?? loaded;
      } finally {
        readings.delete(heard);
      }
    }
  }

  function change<Data>(queryKey: readonly unknown[], changing: Change<Data>) {
    const known = client.getQueryData<Data>(queryKey);
    const next = known && changing(known);
    if (next) client.setQueryData(queryKey, next);
    else void client.invalidateQueries({ queryKey, exact: true });
  }

  function hear(heard: Heard) {
    for (const reading of readings) reading.push(heard);
    const { branch, event } = heard;
    if (branch) change(parleyKeys.messages(branch.conversationId), branch.change);
    if (!event) return;
    const conversationId = conversationOf(event);
    if (conversationId && isOfMessages(event)) {
      change(parleyKeys.messages(conversationId), (data: Branch) => applyToBranch(data, event));
      touch(conversationId);
    }
    if (event.type === "read") touch(event.conversationId);
    if (!event.type.startsWith("conversation-")) return;
    for (const [queryKey] of client.getQueriesData({ queryKey: parleyKeys.allConversations })) {
      change(queryKey, (data: ConversationItems) => applyToConversations(data, event, filterOf(queryKey)));
    }
  }

  /** Last message, counts and place in the list follow from what happened in it: read once it is quiet. */
  function touch(id: string) {
    if (touched.has(id) || client.getQueriesData({ queryKey: parleyKeys.allConversations }).length === 0) return;
    const look = async () => {
      touched.delete(id);
      const era = eras.get();
      const conversation = await chat.conversations.get.query({ id });
      if (era === eras.get()) hear({ event: { type: "conversation-updated", conversation } });
    };
    touched.set(
      id,
      setTimeout(() => void look().catch(() => {}), touchMs),
    );
  }

  return {
    eras,
    event: (event: LiveEvent) => (event.type === "resync" ? refresh() : hear({ event })),
    refresh,

    /** As far as somebody has gone back. */
    readBranch: (conversationId: string): Promise<Branch> =>
      read(
        async () => {
          const oldest = client.getQueryData<Branch>(parleyKeys.messages(conversationId))?.items[0]?.id;
          let { items, nextCursor } = await chat.messages.list.query({ conversationId, limit: firstPage });
          while (nextCursor && oldest && (items[0]?.id ?? "") > oldest) {
            const older = await chat.messages.list.query({ conversationId, limit: firstPage, cursor: nextCursor });
            items = [...older.items, ...items];
            nextCursor = older.nextCursor;
          }
          return { items, nextCursor };
        },
        (heard) => (branch) => {
          if (heard.branch) return heard.branch.conversationId === conversationId ? heard.branch.change(branch) : branch;
          if (!heard.event) return null;
          return conversationOf(heard.event) === conversationId ? applyToBranch(branch, heard.event) : branch;
        },
      ),

    async readOlderMessages(conversationId: string): Promise<void> {
      const queryKey = parleyKeys.messages(conversationId);
      const cursor = client.getQueryData<Branch>(queryKey)?.nextCursor;
      if (!cursor) return;
      const older = await chat.messages.list.query({ conversationId, limit: firstPage, cursor });
      change(queryKey, (branch: Branch) =>
        branch.nextCursor === cursor ? { items: [...older.items, ...branch.items], nextCursor: older.nextCursor } : branch,
      );
    },

    readConversations: (filter: ConversationFilter): Promise<ConversationItems> =>
      read(
        async () => {
          const known = client.getQueryData<ConversationItems>(parleyKeys.conversations(filter))?.items.length ?? 0;
          let { items, nextCursor } = await chat.conversations.list.query(filter);
          while (nextCursor && items.length < known) {
            const further = await chat.conversations.list.query({ ...filter, cursor: nextCursor });
            items = [...items, ...further.items];
            nextCursor = further.nextCursor;
          }
          return { items, nextCursor };
        },
        ({ event, branch }) =>
          (list) =>
            event ? applyToConversations(list, event, filter) : branch ? list : null,
      ),

    async readFurtherConversations(filter: ConversationFilter): Promise<void> {
      const queryKey = parleyKeys.conversations(filter);
      const cursor = client.getQueryData<ConversationItems>(queryKey)?.nextCursor;
      if (!cursor) return;
      const further = await chat.conversations.list.query({ ...filter, cursor });
      change(queryKey, (list: ConversationItems) => {
        if (list.nextCursor !== cursor) return list;
        const known = new Set(list.items.map(({ id }) => id));
        return { items: [...list.items, ...further.items.filter(({ id }) => !known.has(id))], nextCursor: further.nextCursor };
      });
    },

    /** What one has just asked for oneself. */
    show(conversationId: string, messages: Message[], { isNew = false } = {}) {
      if (isNew) {
        const begin = (branch?: Branch): Branch => branch ?? { items: [], nextCursor: null };
        client.setQueryData<Branch>(parleyKeys.messages(conversationId), begin);
      }
      for (const message of messages) hear({ branch: { conversationId, change: (branch) => turnTo(branch, message) } });
    },

    /** The text is whole now; the message itself is told of, or read, with the rest. */
    end(answer: AssembledAnswer) {
      const { runId, conversationId } = answer;
      if (!runId || !conversationId || answer.status === "running") return;
      const change = (branch: Branch) => patchMessage(branch, runId, (message) => withAnswer(message, answer));
      hear({ branch: { conversationId, change } });
    },

    reload: (conversationId: string) => client.invalidateQueries({ queryKey: parleyKeys.messages(conversationId) }),
    reloadMessages: () => client.invalidateQueries({ queryKey: parleyKeys.allMessages }),

    /** Nothing of it is for whoever comes next. */
    clear() {
      for (const timer of touched.values()) clearTimeout(timer);
      touched.clear();
      client.removeQueries({ queryKey: parleyKeys.all });
      eras.set(eras.get() + 1);
    },
  };

  function refresh() {
    hear({});
    void client.invalidateQueries({ queryKey: parleyKeys.all });
  }
}

function conversationOf(event: LiveEvent): string | null {
  if ("message" in event) return event.message.conversationId;
  return "conversationId" in event ? event.conversationId : null;
}

const isOfMessages = ({ type }: LiveEvent) => type.startsWith("message-") || type === "run-ended";

function filterOf(queryKey: readonly unknown[]): ConversationFilter {
  const filter = queryKey[2];
  return typeof filter === "object" && filter !== null ? filter : {};
}

/** What has not changed stays the very same object, so that whoever shows it need not draw it again. */
export function keepSame<Item extends { id: string }, Data extends { items: Item[] }>(before: Data | undefined, now: Data): Data {
  if (!before || before === now) return now;
  const known = new Map(before.items.map((item) => [item.id, item]));
  return { ...now, items: now.items.map((item) => same(known.get(item.id), item)) };
}

function same<Item>(before: Item | undefined, now: Item): Item {
  return before !== undefined && (before === now || JSON.stringify(before) === JSON.stringify(now)) ? before : now;
}
