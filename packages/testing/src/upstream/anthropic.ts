import { randomUUID } from "node:crypto";
import { type Answer, type Asked, collect, cutInto, event, type Format, finishReasonOf, retryAfterOf } from "./format.ts";
import type { ContentStep, Script, StreamError } from "./script.ts";

const stopReasons = { stop: "end_turn", length: "max_tokens", tool_calls: "tool_use", content_filter: "refusal" };

const errorTypes: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};
const errorWords: Record<string, string> = {
  quota: "billing_error",
  rate: "rate_limit_error",
  overloaded: "overloaded_error",
  auth: "authentication_error",
  bad_request: "invalid_request_error",
};
/** Anthropic says in more than one way that the money is spent. */
const quotaMessages: Record<number, string> = {
  400: "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
  402: "There is an issue with your organization's billing. Please check your payment information.",
  429: "Number of request tokens has exceeded your daily rate limit (https://docs.claude.com/en/api/rate-limits).",
};

export const anthropic: Format = {
  newline: "\n",
  answer,
  whole(script, asked) {
    const { text, reasoning, signature, toolCalls } = collect(script);
    const content = [
      ...(reasoning || signature ? [{ type: "thinking", thinking: reasoning, signature: signature ?? "" }] : []),
      ...(text ? [{ type: "text", text }] : []),
      ...toolCalls.map(({ id, name, input }) => ({ type: "tool_use", id, name, input })),
    ];
    return { ...message(asked), content, stop_reason: stopReasons[finishReasonOf(script)], usage: usage(script) };
  },
  refusal(refusal) {
    const { status, type, message } = refusal;
    const byStatus = errorTypes[status] ?? "api_error";
    const spent = type === "quota" ? quotaMessages[status] : undefined;
    const named = spent ? byStatus : (errorWords[type ?? ""] ?? type ?? byStatus);
    const body = failure({ type: named, message: message ?? spent ?? `The upstream refuses with ${status}.` });
    const seconds = retryAfterOf(refusal);
    return { headers: { "request-id": body.request_id, ...(seconds !== undefined && { "retry-after": String(seconds) }) }, body };
  },
  list(models, query) {
    const from = models.findIndex(({ id }) => id === query.get("after_id")) + 1;
    const page = models.slice(from, from + Number(query.get("limit") ?? 20));
    const data = page.map((model) => ({
      type: "model",
      display_name: model.id,
      created_at: "2025-09-29T00:00:00Z",
      lifecycle: "active",
      max_input_tokens: 200_000,
      max_tokens: 64_000,
      capabilities: null,
      ...model,
    }));
    return {
      data,
      has_more: from + page.length < models.length,
      first_id: page.at(0)?.id ?? null,
      last_id: page.at(-1)?.id ?? null,
    };
  },
};

function answer(script: Script, asked: Asked): Answer {
  let index = -1;
  let block: string | null = null;
  const start = (content: { type: string } & Record<string, unknown>) => {
    if (block === content.type) return "";
    const before = stop();
    index += 1;
    block = content.type;
    return before + send({ type: "content_block_start", index, content_block: content });
  };
  const stop = () => {
    if (block === null) return "";
    block = null;
    return send({ type: "content_block_stop", index });
  };
  const delta = (change: { type: string } & Record<string, unknown>) =>
    send({ type: "content_block_delta", index, delta: change });

  return {
    open: () => send({ type: "message_start", message: { ...message(asked), usage: { ...usage(script), output_tokens: 1 } } }),
    tell(step: ContentStep) {
      if ("text" in step) return [start({ type: "text", text: "" }) + delta({ type: "text_delta", text: step.text })];
      if ("ping" in step) return [send({ type: "ping" })];
      if ("reasoning" in step) {
        const said = start({ type: "thinking", thinking: "", signature: "" });
        const thought = said + delta({ type: "thinking_delta", thinking: step.reasoning });
        return step.signature ? [thought, delta({ type: "signature_delta", signature: step.signature }) + stop()] : [thought];
      }
      const { id, name, input, pieces = 1 } = step.toolCall;
      return [
        stop() + start({ type: "tool_use", id, name, input: {} }) + delta({ type: "input_json_delta", partial_json: "" }),
        ...cutInto(JSON.stringify(input), pieces).map((piece) => delta({ type: "input_json_delta", partial_json: piece })),
        stop(),
      ];
    },
    error: ({ type, message }: StreamError) => send(failure({ type: errorWords[type] ?? type, message })),
    close() {
      const change = { stop_reason: stopReasons[finishReasonOf(script)], stop_sequence: null };
      return stop() + send({ type: "message_delta", delta: change, usage: usage(script) }) + send({ type: "message_stop" });
    },
  };
}

function send(data: { type: string } & Record<string, unknown>): string {
  return event(data, data.type);
}

function message({ model }: Asked) {
  const id = `msg_${randomUUID()}`;
  return { id, type: "message", role: "assistant", model, content: [], stop_reason: null, stop_sequence: null };
}

/** Anthropic counts what the cache had or got apart from the input. */
function usage({ usage }: Script) {
  return {
    input_tokens: usage?.input ?? 0,
    cache_creation_input_tokens: usage?.cacheWrite ?? 0,
    cache_read_input_tokens: usage?.cacheRead ?? 0,
    output_tokens: usage?.output ?? 0,
    ...(usage?.reasoning && { output_tokens_details: { thinking_tokens: usage.reasoning } }),
  };
}

function failure(error: { type: string; message: string }) {
  return { type: "error", error, request_id: `req_${randomUUID()}` };
}
