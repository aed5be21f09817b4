import * as z from "zod";
import { object } from "./object.ts";
import { id, text } from "./text.ts";

/** What a key may be used for. */
export const useScopes = ["chat.read", "chat.write", "account.read", "account.write"] as const;
/** What a role may allow, and a key only where its owner's role does. */
export const permissions = ["metrics.read", "users.manage", "users.delete", "files.access_all"] as const;

/** `*` is everything that the owner may do, at the time of the call. */
export const Scope = z.enum([...useScopes, ...permissions, "*"]);
export type Scope = z.output<typeof Scope>;

/** A key made without a thought talks to models; it changes no account and has nothing of an operator's rights. */
export const defaultScopes: readonly Scope[] = ["chat.read", "chat.write", "account.read"];

const lastDate = new Date("9999-12-31T23:59:59.999Z");

export const CreateApiKey = object(() => ({
  name: text().trim().min(1).max(100),
  scopes: z.array(Scope).min(1).max(20).optional(),
  expiresAt: z.date().max(lastDate).optional(),
}));
export type CreateApiKey = z.output<typeof CreateApiKey>;

export const ApiKey = object(() => ({
  id: id(),
  name: z.string(),
  /** The beginning of the key, to recognise it by. */
  prefix: z.string(),
  scopes: z.array(z.string()),
  createdAt: z.date(),
  expiresAt: z.date().nullable(),
  lastUsedAt: z.date().nullable(),
}));
export type ApiKey = z.output<typeof ApiKey>;

/** The key itself is told once: only its hash is kept. */
export const CreatedApiKey = object(() => ({ key: z.string(), apiKey: ApiKey }));
export type CreatedApiKey = z.output<typeof CreatedApiKey>;

export const ApiKeyList = z.array(ApiKey);
export type ApiKeyList = z.output<typeof ApiKeyList>;
