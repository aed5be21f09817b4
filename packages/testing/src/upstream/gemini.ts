import { randomUUID } from "node:crypto";
import { type Answer, type Asked, collect, event, type Format, finishReasonOf, retryAfterOf } from "./format.ts";
import type { Refusal, Script, ScriptedToolCall, StreamError } from "./script.ts";

const finishReasons = { stop: "STOP", length: "MAX_TOKENS", tool_calls: "STOP", content_filter: "SAFETY" };

const statuses: Record<number, string> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};
const statusWords: Record<string, string> = {
  quota: "RESOURCE_EXHAUSTED",
  rate: "RESOURCE_EXHAUSTED",
  overloaded: "UNAVAILABLE",
  auth: "INVALID_ARGUMENT",
  bad_request: "INVALID_ARGUMENT",
};
const messages: Record<string, string> = {
  API_KEY_INVALID: "API key not valid. Please pass a valid API key.",
  RESOURCE_EXHAUSTED: "You exceeded your current quota, please check your plan and billing details.",
  UNAVAILABLE: "The model is overloaded. Please try again later.",
};
const rpc = "type.googleapis.com/google.rpc";

export const gemini: Format = {
  newline: "\r\n",
  answer,
  whole(script, asked) {
    const { text, reasoning, signature, toolCalls } = collect(script);
    const parts = [
      ...(reasoning || signature ? [thought(reasoning, signature)] : []),
      ...(text ? [{ text }] : []),
      ...toolCalls.map(called),
    ];
    return finished(script, asked, parts);
  },
  refusal: (refusal, asked) => ({ headers: {}, body: refused(refusal, asked) }),
  list(models, query) {
    const from = Number(query.get("pageToken") ?? 0);
    const to = from + Number(query.get("pageSize") ?? 50);
    return {
      models: models.slice(from, to).map(({ id, ...fields }) => ({
        name: `models/${id}`,
        version: "001",
        displayName: id,
        inputTokenLimit: 1_048_576,
        outputTokenLimit: 65_536,
        supportedGenerationMethods: ["generateContent", "countTokens"],
        ...fields,
      })),
      ...(to < models.length && { nextPageToken: String(to) }),
    };
  },
};

function answer(script: Script, asked: Asked): Answer {
  const responseId = randomUUID();
  const chunk = (parts: unknown[]) => {
    const usageMetadata = usage({ usage: script.usage && { ...script.usage, output: 0, reasoning: 0 } });
    return event({
      candidates: [{ content: contentOf(parts), index: 0 }],
      ...usageMetadata,
      modelVersion: asked.model,
      responseId,
    });
  };
  return {
    open: () => "",
    tell(step) {
      if ("text" in step) return [chunk([{ text: step.text }])];
      if ("ping" in step) return [chunk([])];
      if ("reasoning" in step) return [chunk([thought(step.reasoning, step.signature)])];
      return [chunk([called(step.toolCall)])];
    },
    error({ type, message }: StreamError) {
      const status = statusWords[type] ?? type;
      const code = Object.keys(statuses).find((number) => statuses[Number(number)] === status);
      return event({ error: { code: Number(code ?? 500), message, status } });
    },
    close() {
      const parts = finishReasonOf(script) === "content_filter" ? [] : [{ text: "" }];
      return event({ ...finished(script, asked, parts), responseId });
    },
  };
}

/** A filter that lets nothing through blocks the prompt: then there is no candidate at all. */
function finished(script: Script, { model }: Asked, parts: unknown[]) {
  const reason = finishReasonOf(script);
  const said =
    reason === "content_filter" && !script.steps?.length
      ? { promptFeedback: { blockReason: "PROHIBITED_CONTENT" } }
      : { candidates: [{ content: contentOf(parts), finishReason: finishReasons[reason], index: 0 }] };
  return { ...said, ...usage(script), modelVersion: model, responseId: randomUUID() };
}

function contentOf(parts: unknown[]) {
  return parts.length > 0 ? { parts, role: "model" } : { role: "model" };
}

function thought(text: string, signature?: string) {
  return { text, thought: true, ...(signature && { thoughtSignature: signature }) };
}

function called({ id, name, input, signature }: ScriptedToolCall) {
  return { functionCall: { name, args: input, ...(id && { id }) }, ...(signature && { thoughtSignature: signature }) };
}

/** Gemini's prompt includes what the cache had; thoughts are counted apart from candidates. */
function usage({ usage }: Pick<Script, "usage">) {
  if (!usage) return {};
  const { input, cacheRead = 0, cacheWrite = 0, output, reasoning = 0 } = usage;
  const prompt = input + cacheRead + cacheWrite;
  return {
    usageMetadata: {
      promptTokenCount: prompt,
      ...(cacheRead > 0 && { cachedContentTokenCount: cacheRead }),
      ...(output > 0 && { candidatesTokenCount: output - reasoning }),
      ...(reasoning > 0 && { thoughtsTokenCount: reasoning }),
      totalTokenCount: prompt + output,
    },
  };
}

function refused(refusal: Refusal, { model }: Asked) {
  const { status: code, type = "", message } = refusal;
  const isKeyWrong = type === "auth" || type === "API_KEY_INVALID";
  const status = isKeyWrong
    ? (statuses[code] ?? "INVALID_ARGUMENT")
    : (statusWords[type] ?? (type || statuses[code] || "UNAVAILABLE"));
  const invalidKey = { "@type": `${rpc}.ErrorInfo`, reason: "API_KEY_INVALID", domain: "googleapis.com" };
  const details: unknown[] = isKeyWrong ? [invalidKey] : [];
  if (status === "RESOURCE_EXHAUSTED") {
    const quotaId = `GenerateRequestsPer${type === "quota" ? "Day" : "Minute"}PerProjectPerModel-FreeTier`;
    const quotaMetric = "generativelanguage.googleapis.com/generate_content_free_tier_requests";
    const violation = { quotaMetric, quotaId, quotaDimensions: { location: "global", model }, quotaValue: "10" };
    details.push({ "@type": `${rpc}.QuotaFailure`, violations: [violation] });
  }
  const seconds = retryAfterOf(refusal);
  if (seconds !== undefined) details.push({ "@type": `${rpc}.RetryInfo`, retryDelay: `${seconds}s` });
  const said = isKeyWrong ? messages.API_KEY_INVALID : (messages[status] ?? `The upstream refuses with ${code}.`);
  return { error: { code, message: message ?? said, status, ...(details.length > 0 && { details }) } };
}
