import { createServer } from "node:http";
import { listenLocally, startUpstream } from "@parley/testing";
import { expect, test } from "vitest";
import { hear } from "../shared/stream-testing.ts";
import { findOllama } from "./provider.ts";

const entry = {
  outputLimit: null,
  prices: { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 },
  retired: false,
  plans: null,
};

test("an Ollama is found by itself, with what it has", async () => {
  await using upstream = await startUpstream();
  upstream.models("ollama", [
    { id: "llama3.2:latest" },
    {
      id: "qwen3-vl:8b",
      capabilities: ["completion", "tools", "vision", "thinking"],
      model_info: { "general.architecture": "qwen3vl", "qwen3vl.context_length": 262_144 },
    },
    { id: "nomic-embed-text:latest", capabilities: ["embedding"] },
    { id: "old:1b", capabilities: ["completion"], model_info: {} },
  ]);
  const ollama = await findOllama({ url: `${upstream.url}/` });
  expect(ollama).toMatchObject({ name: "ollama", label: "Ollama", keys: 1, isLocal: true });
  const models = [
    {
      ...entry,
      id: "llama3.2:latest",
      name: "llama3.2",
      contextLength: 131_072,
      inputs: ["text"],
      tools: true,
      reasoning: false,
    },
    {
      ...entry,
      id: "qwen3-vl:8b",
      name: "qwen3-vl:8b",
      contextLength: 262_144,
      inputs: ["text", "image"],
      tools: true,
      reasoning: true,
    },
    { ...entry, id: "old:1b", name: "old:1b", contextLength: null, inputs: ["text"], tools: false, reasoning: false },
  ];
  expect(ollama?.models).toEqual(models);
  expect(await ollama?.listModels({ key: 0, signal: new AbortController().signal })).toEqual(models);
});

test("an Ollama answers", async () => {
  await using upstream = await startUpstream();
  const ollama = await findOllama({ url: upstream.url });
  upstream.script({ steps: [{ text: "Hello" }] });
  expect(ollama && (await hear(ollama, { model: "llama3.2:latest" }))).toMatchObject({ text: "Hello", error: null });
  expect(upstream.calls.at(-1)).toMatchObject({ path: "/v1/chat/completions", key: null });
});

test("there is none where nobody listens, where somebody else does, or where nobody waits", async () => {
  const upstream = await startUpstream();
  expect(await findOllama({ url: upstream.url, signal: AbortSignal.abort() })).toBeNull();
  await upstream.stop();
  expect(await findOllama({ url: upstream.url })).toBeNull();

  const other = createServer((_, response) => response.end("It works!"));
  const { url } = await listenLocally(other);
  expect(await findOllama({ url })).toBeNull();
  other.close();
});
