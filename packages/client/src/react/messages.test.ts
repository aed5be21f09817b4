import { expect, test } from "vitest";
import { emptyAnswer } from "../chat/assemble.ts";
import type { Message } from "../index.ts";
import { expectedAnswer, ownMessage, shownMessages } from "./chat-message.ts";
import { applyToBranch, type Branch, turnTo } from "./messages.ts";

const question = message("1", null, { content: "Why?" });
const answer = message("2", "1", { role: "assistant", status: "running", runId: "run" });
const branch: Branch = { items: [question, answer], nextCursor: null };

function message(id: string, parentId: string | null, more: Partial<Message> = {}): Message {
  const { delivery: _, ...own } = ownMessage(id, "conversation", "", parentId);
  return { ...own, ...more };
}

test("a message at the end of the branch is added once, however often it is told", () => {
  const next = message("3", "2");
  const once = applyToBranch(branch, { type: "message-created", message: next });
  expect(once?.items.map(({ id }) => id)).toEqual(["1", "2", "3"]);
  expect(once && applyToBranch(once, { type: "message-created", message: next })).toEqual(once);
});

test("what hangs elsewhere has to be read; what one has asked for oneself is turned to", () => {
  const again = message("3", "1", { role: "assistant" });
  expect(applyToBranch(branch, { type: "message-created", message: again })).toBeNull();
  expect(turnTo(branch, again)?.items.map(({ id }) => id)).toEqual(["1", "3"]);
});

test("an answer that is over does not run again, and the last edit stays", () => {
  const over = { ...answer, status: "complete", content: "Because" } as const;
  const ended = applyToBranch(branch, { type: "message-updated", message: over });
  expect(ended && applyToBranch(ended, { type: "message-created", message: answer })).toEqual(ended);
  const edited = { ...over, content: "Therefore", editedAt: new Date(2) };
  const changed = ended && applyToBranch(ended, { type: "message-updated", message: edited });
  const earlier = { ...over, content: "So", editedAt: new Date(1) };
  expect(changed && applyToBranch(changed, { type: "message-updated", message: earlier })).toEqual(changed);
  expect(changed?.items[1]?.content).toBe("Therefore");
});

test("while an answer grows, the other messages stay the objects that they are", () => {
  const written = { ...emptyAnswer, runId: "run", text: "Bec" };
  const shown = shownMessages(branch.items, new Map([["run", written]]), []);
  expect(shown[0]).toBe(question);
  expect(shown[1]?.content).toBe("Bec");
});

test("one's own message is shown until the server's is there, and not beside it", () => {
  const own = { message: ownMessage("client-id", "conversation", "And?", "2"), after: "2" };
  expect(shownMessages(branch.items, new Map(), [own]).map(({ id }) => id)).toEqual(["1", "2", "client-id"]);
  const stored = message("3", "2", { content: "And?" });
  expect(shownMessages([...branch.items, stored], new Map(), [own])).toEqual([...branch.items, stored]);
  const before = [message("0", null, { content: "And?" }), ...branch.items];
  expect(shownMessages(before, new Map(), [own])).toHaveLength(4);
});

test("a branch of one's own is shown in its place at once", () => {
  const own = { message: ownMessage("client-id", "conversation", "Or?", "1"), after: "2", below: "1" };
  expect(shownMessages(branch.items, new Map(), [own]).map(({ id }) => id)).toEqual(["1", "client-id"]);
});

test("an accepted answer waits below its question", () => {
  const expected = expectedAnswer(question, { messageId: "2", runId: "run" });
  expect(turnTo({ items: [question], nextCursor: null }, expected)?.items).toEqual([question, expected]);
});
