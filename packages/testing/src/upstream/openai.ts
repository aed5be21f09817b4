import { randomUUID } from "node:crypto";
import { type Answer, type Asked, collect, cutInto, event, type Format, finishReasonOf, retryAfterOf } from "./format.ts";
import type { Script } from "./script.ts";

interface Failure {
  message: string;
  type: string;
  code: string | null;
}

const byWord = {
  quota: {
    type: "insufficient_quota",
    code: "insufficient_quota",
    message: "You exceeded your current quota, please check your plan and billing details.",
  },
  rate: { type: "requests", code: "rate_limit_exceeded", message: "Rate limit reached for requests per minute (RPM)." },
  overloaded: { type: "server_error", code: null, message: "The engine is currently overloaded, please try again later" },
  auth: { type: "invalid_request_error", code: "invalid_api_key", message: "Incorrect API key provided." },
  bad_request: { type: "invalid_request_error", code: null, message: "The request is not valid." },
  trouble: { type: "server_error", code: null, message: "The server had an error while processing your request." },
} satisfies Record<string, Failure>;

const byStatus: Record<number, Failure> = {
  400: byWord.bad_request,
  401: byWord.auth,
  403: { type: "invalid_request_error", code: "model_not_found", message: "Your project has no access to this model." },
  404: { type: "invalid_request_error", code: "model_not_found", message: "The model does not exist." },
  429: byWord.rate,
};

export const openai: Format = {
  newline: "\n",
  answer,
  whole(script, asked) {
    const { text, reasoning, toolCalls } = collect(script);
    const tool_calls = toolCalls.map(({ id, name, input }) => ({
      id,
      type: "function",
      function: { name, arguments: JSON.stringify(input) },
    }));
    const message = {
      role: "assistant",
      content: text || null,
      refusal: null,
      ...(reasoning && { reasoning_content: reasoning }),
      ...(tool_calls.length > 0 && { tool_calls }),
    };
    const choices = [{ index: 0, message, logprobs: null, finish_reason: finishReasonOf(script) }];
    return { ...head("chat.completion", asked), choices, ...usage(script) };
  },
  refusal(refusal) {
    const { status, type, message } = refusal;
    const seconds = retryAfterOf(refusal);
    return {
      headers: { "x-request-id": `req_${randomUUID()}`, ...(seconds !== undefined && { "retry-after": String(seconds) }) },
      body: failure(byStatus[status] ?? byWord.trouble, type, message),
    };
  },
  list: (models) => ({
    object: "list",
    data: models.map((model) => ({ object: "model", created: 1_759_104_000, owned_by: "upstream", ...model })),
  }),
};

function answer(script: Script, asked: Asked): Answer {
  const told = { ...head("chat.completion.chunk", asked), system_fingerprint: "fp_upstream" };
  const noUsageYet = asked.wantsUsage ? { usage: null } : {};
  const chunk = (delta: Record<string, unknown>, finish_reason: string | null = null) =>
    event({ ...told, choices: [{ index: 0, delta, logprobs: null, finish_reason }], ...noUsageYet });
  let calls = 0;

  return {
    open: () => chunk({ role: "assistant", content: "", refusal: null }),
    tell(step) {
      if ("text" in step) return [chunk({ content: step.text })];
      if ("ping" in step) return [": ping\n\n"];
      if ("reasoning" in step) return [chunk({ reasoning_content: step.reasoning })];
      const { id, name, input, pieces = 1 } = step.toolCall;
      const index = calls;
      calls += 1;
      return [
        chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] }),
        ...cutInto(JSON.stringify(input), pieces).map((piece) =>
          chunk({ tool_calls: [{ index, function: { arguments: piece } }] }),
        ),
      ];
    },
    error: ({ type, message }) => event(failure(byWord.trouble, type, message)),
    close() {
      const counted = asked.wantsUsage && script.usage ? event({ ...told, choices: [], ...usage(script) }) : "";
      return `${chunk({}, finishReasonOf(script))}${counted}data: [DONE]\n\n`;
    },
  };
}

function head(object: string, { model }: Asked) {
  return { id: `chatcmpl-${randomUUID()}`, object, created: Math.floor(Date.now() / 1000), model };
}

/** OpenAI's prompt includes what the cache had, and its completion the reasoning. */
function usage({ usage }: Script) {
  if (!usage) return {};
  const { input, cacheRead = 0, cacheWrite = 0, output, reasoning = 0 } = usage;
  const prompt = input + cacheRead + cacheWrite;
  return {
    usage: {
      prompt_tokens: prompt,
      completion_tokens: output,
      total_tokens: prompt + output,
      prompt_tokens_details: { cached_tokens: cacheRead, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: reasoning },
    },
  };
}

/** A word is one of ours, or OpenAI's for a code or a type. */
function failure(otherwise: Failure, word?: string, message?: string) {
  const named = Object.entries<Failure>(byWord).find(([name, { code }]) => name === word || code === word)?.[1];
  const said = named ?? { ...otherwise, type: word ?? otherwise.type };
  return { error: { ...said, message: message ?? said.message, param: null } };
}
