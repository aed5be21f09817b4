import { anthropicModels } from "./anthropic/catalogue.ts";
import { geminiModels } from "./gemini/catalogue.ts";

/** What vendors charge and allow, in dollars. The first model of a vendor that is not retired is what a new user gets. */
export const catalogue = { figuresOf: "2026-11-21", anthropic: anthropicModels, gemini: geminiModels };
