import type { IncomingMessage } from "node:http";
import { anthropic } from "./anthropic.ts";
import type { Asked, ListedModel } from "./format.ts";
import { gemini } from "./gemini.ts";
import { ollamaModel, ollamaModels } from "./ollama.ts";
import { openai } from "./openai.ts";
import type { UpstreamCall, Vendor } from "./script.ts";

type Lists = Record<Vendor | "ollama", ListedModel[]>;

export interface Route extends Pick<UpstreamCall, "vendor" | "kind" | "key" | "body"> {
  asked: Asked;
  isStreamed: boolean;
  /** Where this is no call for an answer. */
  list?: (lists: Lists) => unknown;
}

/** What is asked here, of whom, and with which key; null where no vendor has anything. */
export function routeOf({ method, url: target, headers }: IncomingMessage, raw: string): Route | null {
  const url = new URL(target ?? "/", "http://upstream");
  const body = parsed(raw);
  const path = `${method} ${url.pathname}`;
  const header = (name: string) => headers[name]?.toString() ?? null;
  const bearer = header("authorization")?.replace(/^bearer /i, "") ?? null;
  const model = textIn(body, "model");
  const isStreamed = valueIn(body, "stream") === true;
  const asked = { model, wantsUsage: valueIn(valueIn(body, "stream_options"), "include_usage") === true };
  const common = { body, asked, isStreamed };

  const atAnthropic = { ...common, vendor: "anthropic", key: header("x-api-key") ?? bearer } as const;
  const atOpenai = { ...common, vendor: "openai", key: bearer } as const;
  const atGemini = { ...common, vendor: "gemini", key: header("x-goog-api-key") ?? url.searchParams.get("key") } as const;
  const query = url.searchParams;

  if (path === "POST /v1/messages") return { ...atAnthropic, kind: "generate" };
  if (path === "POST /v1/chat/completions") return { ...atOpenai, kind: "generate" };
  if (path === "GET /v1/models") {
    const isAnthropic = header("anthropic-version") !== null || header("x-api-key") !== null;
    if (isAnthropic) return { ...atAnthropic, kind: "models", list: (lists) => anthropic.list(lists.anthropic, query) };
    return { ...atOpenai, kind: "models", list: (lists) => openai.list(lists.openai, query) };
  }
  if (path === "GET /v1beta/models") {
    return { ...atGemini, kind: "models", list: (lists) => gemini.list(lists.gemini, query) };
  }
  if (path === "GET /api/tags") return { ...atOpenai, kind: "models", list: (lists) => ollamaModels(lists.ollama) };
  if (path === "POST /api/show") {
    return { ...atOpenai, kind: "models", list: (lists) => ollamaModel(lists.ollama.find(({ id }) => id === model)) };
  }

  const [, name, action] = /^POST \/v1(?:beta)?\/models\/([^:/]+):(\w+)$/.exec(path) ?? [];
  if (name === undefined) return null;
  const geminiAsked = { model: decodeURIComponent(name), wantsUsage: true };
  const streams = action === "streamGenerateContent" && query.get("alt") === "sse";
  if (!streams && action !== "generateContent") return null;
  return { ...atGemini, kind: "generate", asked: geminiAsked, isStreamed: streams };
}

function parsed(raw: string): unknown {
  try {
    return raw === "" ? null : JSON.parse(raw);
  } catch {
    return raw;
  }
}

function valueIn(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function textIn(value: unknown, name: string): string {
  const found = valueIn(value, name);
  return typeof found === "string" ? found : "";
}
