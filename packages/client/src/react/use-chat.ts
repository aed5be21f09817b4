import type { Message, ParleyInputs } from "@parley/client";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { newId } from "../new-id.ts";
import { type ChatMessage, expectedAnswer, type Outgoing, ownMessage, shownMessages } from "./chat-message.ts";
import { parleyKeys } from "./keys.ts";
import { useRoom, useSignedIn, useStore } from "./provider.ts";
import { keptLive } from "./query-options.ts";
import { useOwn } from "./use-own.ts";

type Send = ParleyInputs["chat"]["send"];
type SendMore = Omit<Send, "content" | "clientMessageId" | "conversationId">;

/**
 * Which conversation, and how it is answered. Without a conversation the first message begins one; to begin another after it,
 * hand its id in here, and then none.
 *
 * @example
 * ```ts
 * const options: ChatOptions = { conversationId, model: "claude-sonnet-4-5", temperature: 0.2 };
 * ```
 */
export type ChatOptions = Omit<SendMore, "parentId" | "replyToId"> & { conversationId?: string | undefined };

/**
 * What `useChat` gives. Nothing of it rejects: what has failed is in `error`, and `retry` does it again.
 *
 * @example
 * ```tsx
 * const Stop = ({ chat }: { chat: Chat }) =>
 *   chat.status === "answering" ? <button type="button" onClick={chat.stop}>Stop</button> : null;
 * ```
 */
export interface Chat {
  /** Undefined until the first message has begun it. */
  conversationId: string | undefined;
  /** The branch that you look at, oldest first. A message that has not changed is the same object as before. */
  messages: ChatMessage[];
  status: "loading" | "ready" | "sending" | "answering";
  error: Error | null;
  /** Does what has failed again; a message is sent once all the same. */
  retry(): void;
  /** Forgets what has failed, a message that was refused included. */
  dismiss(): void;
  /** With `parentId`, a branch of its own; with `answer: false`, without an answer. */
  send(content: string, more?: SendMore): Promise<void>;
  /** Ends the answers that are being written, for everybody. */
  stop(): Promise<void>;
  /** Another answer in place of the newest or the one that is named, or to the message that is named. */
  regenerate(messageId?: string): Promise<void>;
  /** Changes what a message says. What follows it stays: `regenerate` it to have it answered anew. */
  edit(messageId: string, content: string): Promise<void>;
  /** Goes to the branch of a message: one of `message.siblings.ids`. */
  showBranch(messageId: string): Promise<void>;
  hasOlder: boolean;
  isLoadingOlder: boolean;
  loadOlder(): void;
}

const none: Message[] = [];

interface Own {
  begun?: string | undefined;
  outgoing: readonly Outgoing[];
  failure: { where: string; error: Error; again(): Promise<void> } | null;
}

const nothing: Own = { outgoing: [], failure: null };

/**
 * A conversation and what one does in it. Answers that are being written are followed, also those that others have asked for
 * or that began before the page was loaded.
 *
 * @example
 * ```tsx
 * const { messages, send, stop, status } = useChat({ conversationId });
 * return (
 *   <form action={(data) => send(String(data.get("text")))}>
 *     {messages.map((message) => <p key={message.id}>{message.content}</p>)}
 *     <input name="text" />
 *     {status === "answering" && <button type="button" onClick={stop}>Stop</button>}
 *   </form>
 * );
 * ```
 */
export function useChat({ conversationId: given, ...answering }: ChatOptions = {}): Chat {
  const { parley, cache, answers } = useRoom();
  const isSignedIn = useSignedIn() === true;
  const { own, change, isStillMine } = useOwn(nothing);
  const { begun, outgoing } = own;
  const conversationId = given ?? begun;
  const here = conversationId ?? "";
  const failure = own.failure?.where === here ? own.failure : null;
  const isAdopted = given !== undefined && begun !== undefined;
  useEffect(() => {
    if (isAdopted) change((before) => ({ ...before, begun: undefined }));
  });

  const query = useQuery({
    ...keptLive,
    queryKey: parleyKeys.messages(here),
    queryFn: () => cache.readBranch(here),
    enabled: isSignedIn && conversationId !== undefined,
  });
  const stored = query.data?.items ?? none;
  const runIds = stored.flatMap(({ runId, status }) => (runId && status === "running" ? [runId] : []));
  const runs = runIds.join();
  useEffect(() => {
    const leave = runs ? runs.split(",").map((runId) => answers.watch(runId)) : [];
    return () => {
      for (const away of leave) away();
    };
  }, [answers, runs]);
  const current = useStore(answers.current);
  const messages = useMemo(
    () =>
      shownMessages(
        stored,
        current,
        outgoing.filter(({ message }) => message.conversationId === here),
      ),
    [stored, current, outgoing, here],
  );
  const older = useMutation({ mutationFn: () => cache.readOlderMessages(here) });

  /** Never rejects: what fails is kept, to be done again. */
  async function attempt(work: () => Promise<unknown>): Promise<void> {
    const settle = (failure: Own["failure"]) => change((before) => ({ ...before, failure }));
    settle(null);
    try {
      await work();
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      settle({ where: here, error, again: () => attempt(work) });
    }
  }

  function send(content: string, more: SendMore = {}): Promise<void> {
    const clientMessageId = newId();
    const last = stored.at(-1)?.id ?? null;
    const below = more.parentId;
    const message = ownMessage(clientMessageId, here, content, below ?? last);
    const settle = (delivery?: "sending" | "failed", now?: Partial<Own>) =>
      change((before) => {
        const others = before.outgoing.filter((each) => each.message.id !== clientMessageId);
        const mine = delivery ? [{ message: { ...message, delivery }, after: last ?? "", below }] : [];
        return { ...before, ...now, outgoing: [...others, ...mine] };
      });
    return attempt(async () => {
      settle("sending");
      try {
        const named = conversationId && { conversationId };
        const sent = await parley.chat.send(content, { ...answering, ...more, ...named, clientMessageId });
        if (!isStillMine()) return;
        const expected = sent.answer ? [expectedAnswer(sent.message, sent.answer)] : [];
        const isNew = conversationId === undefined;
        cache.show(sent.conversationId, [sent.message, ...expected], { isNew });
        settle(undefined, isNew ? { begun: sent.conversationId } : {});
      } catch (error) {
        settle("failed");
        throw error;
      }
    });
  }

  function regenerate(messageId?: string): Promise<void> {
    const clientMessageId = newId();
    const target = messageId ?? stored.at(-1)?.id;
    return attempt(async () => {
      if (!target) return;
      const { answer: _, ...how } = answering;
      const again = await parley.api.chat.regenerate.mutate({ ...how, messageId: target, clientMessageId });
      cache.show(here, [again.message]);
    });
  }

  const isSending = outgoing.some(({ message }) => message.delivery === "sending");
  return {
    conversationId,
    messages,
    status: query.isLoading ? "loading" : isSending ? "sending" : runIds.length > 0 ? "answering" : "ready",
    error: failure?.error ?? query.error ?? older.error,
    retry() {
      if (failure) void failure.again();
      else if (query.error) void query.refetch();
      else older.mutate();
    },
    dismiss() {
      older.reset();
      change(({ outgoing, ...before }) => ({
        ...before,
        failure: null,
        outgoing: outgoing.filter(({ message }) => message.delivery === "sending"),
      }));
    },
    send,
    stop: () => attempt(() => Promise.all(runIds.map((runId) => parley.api.chat.stop.mutate({ runId })))),
    regenerate,
    edit: (id, content) =>
      attempt(async () => {
        const message = await parley.api.chat.messages.edit.mutate({ id, content });
        cache.event({ type: "message-updated", message });
      }),
    showBranch: (messageId) =>
      attempt(async () => {
        await parley.api.chat.messages.showBranch.mutate({ conversationId: here, messageId });
        await cache.reload(here);
      }),
    hasOlder: (query.data?.nextCursor ?? null) !== null,
    isLoadingOlder: older.isPending,
    loadOlder: () => older.isPending || older.mutate(),
  };
}
