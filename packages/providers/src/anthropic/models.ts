import type Anthropic from "@anthropic-ai/sdk";
import type { VendorModel } from "@parley/core/ports";
import { type ListedModel, tokenLimit } from "../shared/listed-models.ts";

/** What a request for a model may hold: each generation of Claude refuses something of another. */
export interface Dialect {
  /** Models after 4.6 refuse temperature, top_p and top_k, whatever their value. */
  sampling: boolean;
  thinking: "none" | "budget" | "adaptive";
  /** How it is told not to think; some cannot be. */
  off: "unasked" | "disabled" | "between_tools" | "never";
  outputLimit: number | null;
}

/** From the name, until the vendor has said it. What is not Claude, at somebody else's address, is taken for an old one. */
export function dialectOf(id: string): Dialect {
  const generation = generationOf(id);
  return {
    sampling: generation < 407,
    thinking: generation < 307 ? "none" : generation < 406 ? "budget" : "adaptive",
    off: generation < 500 ? "unasked" : offOf(id, generation),
    outputLimit: null,
  };
}

/** 405 for Claude 4.5. */
function generationOf(id: string): number {
  const [, major, minor = "0"] = /claude(?:-[a-z]+)*-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/.exec(id) ?? [];
  if (major !== undefined) return Number(major) * 100 + Number(minor);
  return id.includes("claude") ? Number.POSITIVE_INFINITY : 400;
}

/** Of models newer than this file nothing is known but what no model refuses. */
function offOf(id: string, generation: number): Dialect["off"] {
  if (generation > 505 || /fable|mythos/.test(id)) return "never";
  if (generation < 505 || id.includes("haiku")) return "disabled";
  return id.includes("sonnet") ? "between_tools" : "never";
}

/** The vendor's own word, where it gives it. */
export function reportedDialect({ id, capabilities, max_tokens }: Anthropic.ModelInfo): Dialect {
  const guess = { ...dialectOf(id), outputLimit: tokenLimit(max_tokens) ?? null };
  const types = capabilities?.thinking?.types;
  if (!types) return guess;
  const thinking = types.adaptive?.supported ? "adaptive" : types.enabled?.supported ? "budget" : "none";
  const off = types.disabled?.supported ? "disabled" : types.between_tools?.supported ? "between_tools" : "never";
  // Older ones do not think unasked, and would take no temperature beside the word that they should not.
  return { ...guess, thinking, off: thinking === "none" ? "unasked" : guess.off === "unasked" ? guess.off : off };
}

/** Servers that speak as Anthropic say less of their models than it does. */
export function listedModel(model: Pick<Anthropic.ModelInfo, "id"> & Partial<Anthropic.ModelInfo>): ListedModel {
  const { id, display_name, max_input_tokens, max_tokens, capabilities, lifecycle } = model;
  return {
    id,
    name: display_name,
    contextLength: max_input_tokens,
    outputLimit: max_tokens,
    ...(capabilities && {
      inputs: inputsOf(capabilities),
      tools: true,
      reasoning: capabilities.thinking?.supported === true,
    }),
    ...(lifecycle && { retired: lifecycle !== "active" }),
  };
}

function inputsOf({ image_input, pdf_input }: Anthropic.ModelCapabilities) {
  const inputs: VendorModel["inputs"] = ["text"];
  if (image_input?.supported) inputs.push("image");
  if (pdf_input?.supported) inputs.push("file");
  return inputs;
}
