import type { ModelEntry, VendorModel } from "@parley/core/ports";
import { fieldsOf } from "../shared/fields.ts";
import { listedModels, tokenLimit } from "../shared/listed-models.ts";

export const free: ModelEntry["prices"] = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };

/** OpenAI lists all that it has, and does not say what it is for. */
const notForChat =
  /embedding|moderation|whisper|transcribe|tts|audio|realtime|voice|live|dall-e|image|sora|instruct|babbage|davinci|codex|deep-research|computer-use|-pro\b/;

/** What a list of models says; null if it is no such list. */
export function chatModels(body: unknown, server: { isOpenai: boolean; isLocal: boolean }): VendorModel[] | null {
  const list = fieldsOf(body).data;
  if (!Array.isArray(list)) return null;
  const models = list.map(fieldsOf).flatMap(({ id, ...said }) => {
    if (typeof id !== "string" || (server.isOpenai && notForChat.test(id))) return [];
    const contextLength = contextLengthOf(said);
    return [
      {
        id,
        name: said.name,
        contextLength,
        ...(server.isOpenai && openaiAbilities(id)),
        ...(server.isLocal && { prices: free }),
      },
    ];
  });
  return listedModels(models);
}

/** vLLM, OpenRouter and others, Mistral, llama.cpp. */
function contextLengthOf(said: Record<string, unknown>): unknown {
  const places = [said.max_model_len, said.context_length, said.max_context_length, fieldsOf(said.meta).n_ctx_train];
  return places.find((length) => tokenLimit(length) !== undefined);
}

/** As nobody says them: by family. */
function openaiAbilities(id: string): Partial<VendorModel> {
  const reasoning = /^(?:ft:)?(?:o\d|gpt-(?:[5-9]|\d\d))/.test(id) && !id.includes("chat");
  const isBlind = /gpt-3|gpt-4(?:$|-\d)|o[13]-mini|o1-preview/.test(id);
  return { tools: true, reasoning, inputs: isBlind ? ["text"] : ["text", "image", "file"] };
}
