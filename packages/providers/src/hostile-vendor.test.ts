import { createServer, type RequestListener } from "node:http";
import type { Provider, ProviderEvent } from "@parley/core/ports";
import { listenLocally, startUpstream, type Upstream } from "@parley/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { anthropicProvider } from "./anthropic/provider.ts";
import { geminiProvider } from "./gemini/provider.ts";
import { findOllama, openaiCompatibleProvider } from "./openai-compatible/provider.ts";
import { hear, listen } from "./shared/stream-testing.ts";

type Vendor = "anthropic" | "gemini" | "openai";

const vendors = ["anthropic", "gemini", "openai"] as const;
const label = { anthropic: "Claude", gemini: "Gemini", openai: "127.0.0.1" };
const canary = 'sk-"canary\\/key';
const signal = new AbortController().signal;

function providerAt(vendor: Vendor, url: string, keys = [canary]): Provider {
  if (vendor === "anthropic") return anthropicProvider({ keys, baseUrl: url, models: [] });
  if (vendor === "gemini") return geminiProvider({ keys, baseUrl: url, models: [] });
  return openaiCompatibleProvider({ keys, baseUrl: `${url}/v1` });
}

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  const { url } = await listenLocally(server);
  return {
    url,
    [Symbol.asyncDispose]: async () => void server.close().closeAllConnections(),
  };
}

/** One event in the vendor's format; Claude's without its name, which some relays leave out. */
const frame = (event: unknown) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`;

const claude = {
  text: (text: string) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
  finish: { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 3 } },
  stop: { type: "message_stop" },
};
const gemini = (text: string, more: object = {}) => ({ candidates: [{ content: { parts: text ? [{ text }] : [] }, ...more }] });
const openai = (content: string, finish_reason: string | null = null) => ({ choices: [{ delta: { content }, finish_reason }] });

async function heard(vendor: Vendor, ...events: unknown[]) {
  await using upstream = await startUpstream();
  upstream.script({ steps: [{ raw: events.map(frame).join("") }] });
  return await hear(providerAt(vendor, upstream.url));
}

describe.each(vendors)("a redirect of %s", (vendor) => {
  test.each([301, 302, 303, 307, 308])("with %i is an error, and takes no key along", async (status) => {
    const stolen: string[] = [];
    await using thief = await serve((request, response) => {
      stolen.push(JSON.stringify(request.headers));
      response.end("{}");
    });
    await using server = await serve((request, response) => {
      response.writeHead(status, { location: `${thief.url}${request.url}` }).end();
    });
    const provider = providerAt(vendor, server.url);
    const failure = { trouble: "bad_request", status, message: `${label[vendor]} answered with a redirect` };
    expect((await hear(provider)).error).toMatchObject(failure);
    await expect(provider.listModels({ key: 0, signal })).rejects.toMatchObject(failure);
    expect(stolen).toEqual([]);
  });
});

test("an Ollama that sends elsewhere is none", async () => {
  let isAsked = false;
  await using other = await serve((_, response) => {
    isAsked = true;
    response.end('{"models":[]}');
  });
  await using server = await serve((_, response) => void response.writeHead(307, { location: other.url }).end());
  expect(await findOllama({ url: server.url })).toBeNull();
  expect(isAsked).toBe(false);
});

describe.each(vendors)("a count of %s", (vendor) => {
  /** Written by hand: what JSON can say is more than what it can be made of. */
  const counted = (input: string, output: string) => {
    if (vendor === "anthropic") return `{"type":"message_delta","usage":{"input_tokens":${input},"output_tokens":${output}}}`;
    if (vendor === "gemini") return `{"usageMetadata":{"promptTokenCount":${input},"candidatesTokenCount":${output}}}`;
    return `{"choices":[],"usage":{"prompt_tokens":${input},"completion_tokens":${output}}}`;
  };
  const usage = ({ events }: { events: ProviderEvent[] }) =>
    events.flatMap((event) => (event.type === "usage" ? [event.tokens] : []));

  test.each(["1.5", "-5", '"5"', "1e18", "1e400", "null", "{}", "[7]", "true", "1000000001"])("is not %s", async (wrong) => {
    const before = { input: 10, cacheRead: 0, cacheWrite: 0, output: 5 };
    expect(usage(await heard(vendor, counted(wrong, wrong)))).toEqual([]);
    expect(usage(await heard(vendor, counted("10", wrong)))).toEqual([{ ...before, output: 0 }]);
    const told = usage(await heard(vendor, counted("10", "5"), counted(wrong, "6"), counted(wrong, wrong)));
    expect(told).toEqual([before, { ...before, output: 6 }]);
  });

  test("is never less than nothing, which has no sign", async () => {
    expect(usage(await heard(vendor, counted("-0", "-0")))).toEqual([{ input: 0, cacheRead: 0, cacheWrite: 0, output: 0 }]);
  });
});

describe.each(vendors)("a list of %s", (vendor) => {
  const entry = (id: unknown, name: unknown, limit: unknown) => {
    if (vendor === "anthropic") return { id, display_name: name, max_input_tokens: limit, max_tokens: limit };
    const supportedGenerationMethods = ["generateContent"];
    if (vendor === "gemini") {
      return { name: id, displayName: name, inputTokenLimit: limit, outputTokenLimit: limit, supportedGenerationMethods };
    }
    return { id, name, context_length: limit };
  };
  const list = async (entries: unknown) => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(vendor === "gemini" ? { models: entries } : { data: entries, has_more: false }));
    });
    return await providerAt(vendor, server.url).listModels({ key: 0, signal });
  };
  const listed = async (...entries: unknown[]) => (await list(entries)).map(({ prices, ...model }) => model);

  test.each([1.5, 0, -1, 1e300, "8192", null, {}])("has no limit of %j", async (limit) => {
    expect(await listed(entry("a", "A", limit))).toEqual([{ id: "a", name: "A" }]);
  });

  test("has no id that nobody can store, and each of them once", async () => {
    const wrong = ["", "x".repeat(201), "a\0b", "a\nb", "a\u007fb", "a\ud800", 5, null, {}];
    const right = ["x".repeat(200), "מודל", "org/model:latest"];
    const models = await listed(...[...wrong, ...right, ...right].map((id) => entry(id, "Name", 8)), null, 7);
    expect(models.map(({ id }) => id)).toEqual(right);
  });

  test("leaves the id to stand for a name that nobody can store", async () => {
    for (const name of ["", "x".repeat(201), "a\0b", 5, null]) {
      expect(await listed(entry("a", name, null))).toEqual([{ id: "a" }]);
    }
  });

  test("ends after a thousand", async () => {
    const many = Array.from({ length: 1_500 }, (_, index) => entry(`model-${index}`, null, 8));
    expect(await listed(...many)).toHaveLength(1_000);
  });

  test("that has no end is not read to it", async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const write = () => {
        while (!response.destroyed && response.write(" ".repeat(1024 * 1024)));
      };
      response.on("drain", write);
      write();
    });
    const call = { key: 0, signal };
    await expect(providerAt(vendor, server.url).listModels(call)).rejects.toMatchObject({ trouble: "invalid_stream" });
  });
});

test("pages of Claude's list are turned until there are a thousand models, also by a server that always has more", async () => {
  let page = 0;
  await using server = await serve((_, response) => {
    const data = Array.from({ length: 90 }, (_, index) => ({ id: `claude-${page}-${index}` }));
    page += 1;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ data, has_more: true, last_id: data.at(-1)?.id }));
  });
  expect(await providerAt("anthropic", server.url).listModels({ key: 0, signal })).toHaveLength(1_000);
  expect(page).toBe(12);
});

describe("an answer that has had its last word", () => {
  const finish = { anthropic: [claude.finish, claude.stop], openai: [openai("", "stop"), { usage: { completion_tokens: 3 } }] };
  const end = { type: "end", finishReason: "stop" };
  const openStream = (upstream: Upstream, ...events: unknown[]) =>
    upstream.script({ steps: [{ raw: events.map(frame).join("") }, { stall: true }] });

  test("is whole though the connection stays open", async () => {
    await using upstream = await startUpstream();
    openStream(upstream, claude.text("All."), ...finish.anthropic);
    const { text, events, error } = await hear(providerAt("anthropic", upstream.url));
    expect([text, events.at(-1), error]).toEqual(["All.", end, null]);
    expect(await (await upstream.nextCall()).closed).toBe("by-client");
  });

  test("is whole with [DONE] too", async () => {
    await using upstream = await startUpstream();
    openStream(upstream, openai("All.", "stop"), "[DONE]");
    const { text, events, error } = await hear(providerAt("openai", upstream.url));
    expect([text, events.at(-1), error]).toEqual(["All.", end, null]);
  });

  test.each(["anthropic", "openai"] as const)("of %s has no text after it", async (vendor) => {
    const text = vendor === "anthropic" ? claude.text : openai;
    const { events, text: said } = await heard(vendor, text("All."), ...finish[vendor], text(" And more."), ...finish[vendor]);
    expect(said).toBe("All.");
    expect(events.filter(({ type }) => type === "end")).toEqual([end]);
  });

  describe("that nothing marks as the last", () => {
    afterEach(() => void vi.useRealTimers());

    const counted = { usageMetadata: { candidatesTokenCount: 3 } };
    test.each([
      ["gemini", [gemini("All.", { finishReason: "STOP" }), counted]],
      ["openai", [openai("All."), ...finish.openai]],
    ] as const)("is waited for a second at %s, for what it is counted as", async (vendor, said) => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      await using upstream = await startUpstream();
      openStream(upstream, ...said);
      const stream = listen(providerAt(vendor, upstream.url));
      expect((await stream.next()).value).toEqual({ type: "text", text: "All." });
      for (let usage = await stream.next(); usage.value?.type !== "usage"; usage = await stream.next());
      const last = stream.next();
      await vi.advanceTimersByTimeAsync(1_000);
      expect((await last).value).toEqual(end);
      expect(await stream.next()).toMatchObject({ done: true });
      expect(await (await upstream.nextCall()).closed).toBe("by-client");
    });

    test("stays whole at an OpenAI whose connection breaks after it", async () => {
      await using upstream = await startUpstream();
      upstream.script({ steps: [{ raw: [openai("All."), ...finish.openai].map(frame).join("") }, { cut: true }] });
      const { text, events, error } = await hear(providerAt("openai", upstream.url));
      expect([text, events.at(-1), error]).toEqual(["All.", end, null]);
    });

    test("was not the last word where text of Gemini follows: some relays finish with every chunk", async () => {
      const stop = { finishReason: "STOP" };
      const { text, events } = await heard("gemini", gemini("", stop), gemini("Four", stop), gemini(" and five.", stop));
      expect(text).toBe("Four and five.");
      expect(events.filter(({ type }) => type === "end")).toEqual([end]);
    });
  });
});

describe.each(vendors)("a body of %s", (vendor) => {
  test("that refuses without an end is cut", async () => {
    let isClosed = () => {};
    const closed = new Promise<void>((resolve) => {
      isClosed = resolve;
    });
    await using server = await serve((_, response) => {
      response.writeHead(500, { "content-type": "text/plain" });
      response.on("close", isClosed);
      const write = () => {
        while (!response.destroyed && response.write(`${canary} `.repeat(4_096)));
      };
      response.on("drain", write);
      write();
    });
    const { error } = await hear(providerAt(vendor, server.url));
    expect(error).toMatchObject({ trouble: "overloaded", status: 500 });
    expect(error?.message.length).toBeLessThan(600);
    expect(error?.message).not.toContain("canary");
    await closed;
  });

  test("with a line that has no end is an invalid stream, and closed", async () => {
    await using upstream = await startUpstream();
    upstream.script({ steps: [{ raw: `data: ${"x".repeat(9 * 1024 * 1024)}` }, { stall: true }] });
    expect((await hear(providerAt(vendor, upstream.url))).error).toMatchObject({ trouble: "invalid_stream" });
    expect(await (await upstream.nextCall()).closed).toBe("by-client");
  });

  test("that quotes the key within JSON within JSON is told without it", async () => {
    await using upstream = await startUpstream();
    for (const echo of [JSON.stringify({ key: canary }), JSON.stringify({ key: canary }).replaceAll("/", "\\/"), canary]) {
      upstream.script(
        { refusal: { status: 401, message: `Wrong: ${echo}` } },
        { refusal: { status: 401, body: `Wrong: ${echo}` } },
      );
      for (const attempt of ["in the vendor's words", "in a body of its own"]) {
        const { error } = await hear(providerAt(vendor, upstream.url));
        expect(error, attempt).toMatchObject({ trouble: "auth" });
        expect(error?.message, attempt).not.toContain("canary");
      }
    }
  });
});

describe.each(vendors)("the input of a call by %s", (vendor) => {
  const call = (json: string) => {
    if (vendor === "gemini")
      return [`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"n","args":${json}}}]},"finishReason":"STOP"}]}`];
    if (vendor === "openai") {
      return [
        { choices: [{ delta: { tool_calls: [{ index: 0, id: "a", function: { name: "n", arguments: json } }] } }] },
        openai("", "stop"),
      ];
    }
    return [
      { type: "content_block_start", index: 0, content_block: { type: "tool_use", id: "a", name: "n", input: {} } },
      { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: json } },
      { type: "content_block_stop", index: 0 },
      claude.finish,
      claude.stop,
    ];
  };
  const nested = (levels: number) => '{"a":'.repeat(levels) + 1 + "}".repeat(levels);
  const inputOf = ({ events }: { events: ProviderEvent[] }) =>
    events.flatMap((event) => (event.type === "tool-call" ? [event.input] : []));

  test("has 64 levels and no more", async () => {
    expect(inputOf(await heard(vendor, ...call(nested(64))))).toEqual([JSON.parse(nested(64))]);
    for (const levels of [65, 5_000]) {
      const { events, error } = await heard(vendor, ...call(nested(levels)));
      expect(error).toMatchObject({ trouble: "invalid_stream" });
      expect(events.some(({ type }) => type === "tool-call" || type === "end")).toBe(false);
    }
  });

  test("is data, whatever its names", async () => {
    const json = '{"__proto__":{"isAdmin":true},"constructor":{"prototype":1},"toString":"x"}';
    const [input] = inputOf(await heard(vendor, ...call(json)));
    expect(JSON.stringify(input)).toBe(json);
    expect(Object(input).isAdmin).toBeUndefined();
  });
});
