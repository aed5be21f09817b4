import * as z from "zod";
import { jsonObject } from "./json-object.ts";
import { object } from "./object.ts";
import { id, text } from "./text.ts";

export const Person = object(() => ({ id: id(), name: z.string(), avatar: z.string().nullable() }));

export const Metadata = z.record(z.string(), z.unknown());
/** As a person or a file gives it. */
export const GivenMetadata = jsonObject({ maxBytes: 8_192, maxKeyLength: 100, maxDepth: 5 });

export const MessageRole = z.enum(["user", "assistant", "system"]);
export const MessageType = z.enum(["text", "file", "image", "audio", "error"]);
export const MessageStatus = z.enum(["complete", "running", "stopped", "interrupted", "failed"]);
export const Rating = z.enum(["up", "down"]);
export const TokenCounts = object(() => ({ input: z.int(), cacheRead: z.int(), cacheWrite: z.int(), output: z.int() }));

export const ModelId = text().min(1).max(200);
export const Tag = text().trim().toLowerCase().min(1).max(50);
export const PageSize = z.int().min(1).max(100);
