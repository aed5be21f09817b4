import type { VendorModel } from "@parley/core/ports";

export interface GeminiModel {
  name: string;
  displayName?: string;
  inputTokenLimit?: number;
  outputTokenLimit?: number;
  supportedGenerationMethods?: string[];
  thinking?: boolean;
}

/** Of all that Gemini lists, what answers. */
export function vendorModels(listed: GeminiModel[]): VendorModel[] {
  return listed.filter((model) => model.supportedGenerationMethods?.includes("generateContent")).map(vendorModel);
}

function vendorModel({ name, displayName, inputTokenLimit, outputTokenLimit, thinking }: GeminiModel): VendorModel {
  return {
    id: name.replace(/^models\//, ""),
    ...(displayName && { name: displayName }),
    ...(inputTokenLimit && { contextLength: inputTokenLimit }),
    ...(outputTokenLimit && { outputLimit: outputTokenLimit }),
    ...(thinking !== undefined && { reasoning: thinking }),
  };
}
