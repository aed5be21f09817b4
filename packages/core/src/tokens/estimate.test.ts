import { describe, expect, test } from "vitest";
import type { ModelMessage, Tool } from "../models/provider.ts";
import { estimateRequest, estimateTokens } from "./estimate.ts";
import { type Sample, samples } from "./estimate-samples.ts";

const meanOf = ({ counts: { o200k, llama3, gemma3 } }: Sample) => (o200k + llama3 + gemma3) / 3;

test.each(samples)("$name is estimated within 20 % of what tokenizers of today count", (sample) => {
  expect(Math.abs(estimateTokens(sample.text) / meanOf(sample) - 1)).toBeLessThan(0.2);
});

test("over all samples it is 6 % off, where a token for each four characters is 30 % off", () => {
  const errorOf = (estimate: (text: string) => number) =>
    samples.reduce((sum, sample) => sum + Math.abs(estimate(sample.text) / meanOf(sample) - 1), 0) / samples.length;
  expect(errorOf(estimateTokens)).toBeLessThan(0.06);
  expect(errorOf((text) => text.length / 4)).toBeGreaterThan(0.3);
});

test("nothing is nothing, and a single character is one token or two", () => {
  expect(estimateTokens("")).toBe(0);
  for (const text of [" ", "a", "\n", "\0", "好", "\ud83d", "\u200d", "\ufe0f"]) expect(estimateTokens(text)).toBe(1);
  for (const text of ["א", "7", "👍", "한"]) expect(estimateTokens(text)).toBe(2);
});

describe("parts and the whole", () => {
  const pieces = samples.flatMap(({ text }) => text.match(/[\s\S]{1,7}/g) ?? []);
  const awkward = [
    "",
    " ",
    "  ",
    "\n",
    "\t\t",
    "a",
    "A",
    "aB",
    "é",
    "ạ",
    "1",
    "12",
    ".",
    "…",
    "ש",
    "ָ",
    "שָׁ",
    "م",
    "مً",
    "я",
    "好",
    "か",
    "한",
    "、",
    "👍",
    "👍🏽",
  ];
  const halves = ["\ud83d", "\udc4d", "\u200d", "\ufe0f", "\u0301", "\0", "\uffff", "  \n  ", "THE", "the"];
  const all = [...pieces, ...awkward, ...halves, ...samples.map(({ text }) => text)];
  const random = mulberry(20_261_121);
  const some = () => all[Math.floor(random() * all.length)] ?? "";

  test("a part is never more than the whole, and the whole at most one more than its parts", () => {
    for (const a of [...awkward, ...halves]) for (const b of [...awkward, ...halves]) check(a, b);
    for (let n = 0; n < 20_000; n++) check(some(), random() < 0.5 ? some() : some() + some());
  });

  function check(a: string, b: string) {
    const [whole, left, right] = [estimateTokens(a + b), estimateTokens(a), estimateTokens(b)];
    if (whole > left + right + 1 || whole < Math.max(left, right)) {
      expect.fail(`${JSON.stringify([a, b])}: ${left} and ${right} make ${whole}`);
    }
  }
});

describe("a request", () => {
  const ask = (...messages: ModelMessage[]) => estimateRequest({ system: null, messages, tools: [] });
  const text = "What is the weather like in Haifa today?";
  const words = estimateTokens(text);

  test("costs its texts and four tokens a message", () => {
    expect(ask()).toBe(0);
    expect(ask({ role: "user", parts: [{ type: "text", text }] })).toBe(words + 4);
    expect(estimateRequest({ system: text, messages: [{ role: "user", parts: [{ type: "text", text }] }], tools: [] })).toBe(
      2 * (words + 4),
    );
    expect(
      ask({
        role: "assistant",
        parts: [
          { type: "reasoning", text, signature: "x".repeat(9_000) },
          { type: "text", text },
        ],
      }),
    ).toBe(2 * words + 4);
  });

  test("an image is flat, and a file goes by its pages", () => {
    const image = { type: "image" as const, mediaType: "image/png", data: "A".repeat(1_000_000) };
    expect(ask({ role: "user", parts: [image] })).toBe(4 + 1_600);
    expect(askFor(new Uint8Array(3_000), "application/pdf")).toBe(8 + 2_000);
    expect(askFor(new Uint8Array(450_000), "application/pdf")).toBe(8 + 10_000);
  });

  test("a text file costs what its text would cost, however long it is", () => {
    for (const sample of samples) {
      expect(askFor(sample.text, "text/plain")).toBe(8 + estimateTokens(sample.text));
      const long = sample.text.repeat(400);
      expect(askFor(long, "application/json") / estimateTokens(long), sample.name).toBeCloseTo(1, 1);
    }
    expect(askFor("", "text/plain")).toBe(8);
    const broken = { type: "file" as const, name: "a", mediaType: "text/plain", data: "not base64!" };
    expect(ask({ role: "user", parts: [broken] })).toBe(8 + 2_000);
  });

  function askFor(content: string | Uint8Array, mediaType: string) {
    const data = Buffer.from(content).toString("base64");
    return ask({ role: "user", parts: [{ type: "file", name: "a", mediaType, data }] });
  }

  test("tools cost their JSON, and that there are any", () => {
    const tool: Tool = {
      name: "get_weather",
      description: "Get the current weather in a given location",
      inputSchema: {
        type: "object",
        properties: { location: { type: "string", description: "The city and state, e.g. San Francisco, CA" } },
        required: ["location"],
      },
    };
    const messages: ModelMessage[] = [
      { role: "user", parts: [{ type: "text", text: "What's the weather like in San Francisco?" }] },
    ];
    // Anthropic's page about counting tokens has this request at 403.
    const estimate = estimateRequest({ system: null, messages, tools: [tool] });
    expect(Math.abs(estimate / 403 - 1)).toBeLessThan(0.1);
  });

  test("calls and results count as they are sent", () => {
    const output = { celsius: 31, sky: "clear" };
    const call = { type: "tool-call" as const, callId: "1", name: "get_weather", input: { location: "Haifa" } };
    const result = { callId: "1", name: "get_weather", isError: false };
    const base = ask({ role: "assistant", parts: [call] }, { role: "tool", results: [{ ...result, output }] });
    expect(base).toBeGreaterThan(20);
    expect(base).toBeLessThan(60);
    expect(ask({ role: "tool", results: [{ ...result, output: undefined }] })).toBe(8);
    expect(ask({ role: "tool", results: [{ ...result, output: text }] })).toBe(8 + words);
  });
});

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
