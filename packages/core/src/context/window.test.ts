import { scriptedProvider } from "@parley/testing";
import { describe, expect, test } from "vitest";
import type { OfferedModel } from "../models/models.ts";
import { unknownModel } from "../models/provider.ts";
import { estimateRequest } from "../tokens/estimate.ts";
import { hasSeveralAuthors, newestWithin, roomOf, type Spoken, spoken, systemWith, toModelMessages } from "./window.ts";

const lengths = { maxTokens: null, reasoning: "off" } as const;
const { provider } = scriptedProvider();

function offered(contextLength: number | null, outputLimit: number | null): OfferedModel {
  const model = { ...unknownModel, id: "m", name: "M", provider: "scripted", isDefault: false, contextLength, outputLimit };
  return { provider, vendorModelId: "m", model };
}

let made = 0;
const said = (role: Spoken["role"], content: string, author: { authorId: string; authorName: string } | null = null) => ({
  id: `id-${++made}`,
  role,
  status: "complete" as const,
  content,
  authorId: author?.authorId ?? null,
  authorName: author?.authorName ?? null,
});

describe("the room of a request", () => {
  test("is the smallest known window of the chain, without the longest answer that will be asked for", () => {
    const small = offered(10_000, 2_000);
    expect(roomOf([small], lengths)).toBe(Math.floor(8_000 * 0.7));
    expect(roomOf([small, offered(100_000, 2_000)], lengths)).toBe(roomOf([small], lengths));
    expect(roomOf([offered(null, 100), small], lengths)).toBe(roomOf([small], lengths));
    expect(roomOf([small], { ...lengths, maxTokens: 500 })).toBe(Math.floor(9_500 * 0.7));
  });

  test("is a usual one where no window is known, and half of it where the answer's limit takes the whole", () => {
    expect(roomOf([offered(null, 2_048)], lengths)).toBe(Math.floor((32_768 - 2_048) * 0.7));
    expect(roomOf([offered(4_000, null)], { ...lengths, maxTokens: 1_000_000 })).toBe(Math.floor(2_000 * 0.7));
  });
});

describe("what fits", () => {
  const rows = [said("assistant", "Six words are in this answer"), said("user", "A question"), said("assistant", "An older one")];
  const messages = spoken(rows, false);
  const all = messages.reduce((sum, { tokens }) => sum + tokens, 0);
  const two = (messages[0]?.tokens ?? 0) + (messages[1]?.tokens ?? 0);

  test("is measured as the request will be, to the token", () => {
    const request = { system: null, messages: toModelMessages(messages.toReversed()), tools: [] };
    expect(all).toBe(estimateRequest(request));
    expect(newestWithin(messages, all)).toHaveLength(3);
    expect(newestWithin(messages, all - 1)).toHaveLength(2);
    expect(newestWithin(messages, two)).toHaveLength(2);
  });

  test("begins with a person's words where something older stays behind, and is nothing rather than a part", () => {
    expect(newestWithin(messages, two - 1)).toEqual([]);
    expect(newestWithin(messages, 0)).toEqual([]);
    expect(newestWithin(messages, -5)).toEqual([]);
  });
});

describe("as a model reads it", () => {
  test("what has no words, or none yet, and what the system wrote are left out", () => {
    const running = { ...said("assistant", "So far"), status: "running" as const };
    const failed = { ...said("assistant", "Half an answer"), status: "failed" as const };
    const rows = [
      said("user", "Hello"),
      said("assistant", ""),
      running,
      failed,
      { ...said("user", "!"), role: "system" as const },
    ];
    expect(spoken(rows, false).map(({ text }) => text)).toEqual(["Hello", "Half an answer"]);
  });

  test("each message has its author's name where several people write", () => {
    const dana = { authorId: "1", authorName: "Dana" };
    const rows = [said("assistant", "Hm"), said("user", "שלום", { authorId: "2", authorName: "נועה" }), said("user", "Hi", dana)];
    expect(hasSeveralAuthors(rows)).toBe(true);
    expect(hasSeveralAuthors([said("user", "Hi", dana), said("assistant", "Hm"), said("user", "Ho", dana)])).toBe(false);
    expect(spoken(rows, true).map(({ text }) => text)).toEqual(["Hm", "נועה: שלום", "Dana: Hi"]);
  });

  test("neighbours of one role are one message", () => {
    const messages = [said("user", "One"), said("user", "Two"), said("assistant", "Yes"), said("assistant", "And no")];
    expect(toModelMessages(spoken(messages, false))).toEqual([
      { role: "user", parts: [{ type: "text", text: "One\n\nTwo" }] },
      { role: "assistant", parts: [{ type: "text", text: "Yes\n\nAnd no" }] },
    ]);
  });

  test("a summary follows the system prompt", () => {
    expect(systemWith("Be kind", null)).toBe("Be kind");
    expect(systemWith("Be kind", "They met.")).toMatch(/^Be kind\n\n[\s\S]*<summary>\nThey met\.\n<\/summary>$/);
    expect(systemWith(null, "They met.")).not.toContain("null");
  });
});
