// Of the SDK, what is used: a bundler keeps everything that can be reached by a name, and the rest is ten times as much.
export { BaseAnthropic } from "@anthropic-ai/sdk/client";
export { Models } from "@anthropic-ai/sdk/resources/models";
