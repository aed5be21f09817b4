import * as z from "zod";
import { Plan } from "./auth.ts";
import { text } from "./text.ts";

const PageSize = z.int().min(1).max(100).optional();

export const Account = z.object({
  id: z.uuid(),
  email: z.string(),
  emailVerified: z.boolean(),
  username: z.string().nullable(),
  displayName: z.string(),
  role: z.string(),
  plan: Plan,
  status: z.enum(["active", "suspended"]),
  lockedUntil: z.date().nullable(),
  lastLoginAt: z.date().nullable(),
  lastActiveAt: z.date().nullable(),
  createdAt: z.date(),
});
export type Account = z.output<typeof Account>;

/** `search` is a part of an address or a name. */
export const ListAccounts = z.object({
  cursor: z.uuid().optional(),
  limit: PageSize,
  search: text().trim().min(1).max(100).optional(),
});
export type ListAccounts = z.output<typeof ListAccounts>;

export const AccountPage = z.object({ items: z.array(Account), nextCursor: z.string().nullable() });
export type AccountPage = z.output<typeof AccountPage>;

export const ChangeAccount = z.object({ id: z.uuid() });
export type ChangeAccount = z.output<typeof ChangeAccount>;

export const SetRole = z.object({ id: z.uuid(), role: text().min(1).max(50) });
export type SetRole = z.output<typeof SetRole>;

export const ListAudit = z.object({
  cursor: z.uuid().optional(),
  limit: PageSize,
  actorId: z.uuid().optional(),
  action: text().min(1).max(100).optional(),
});
export type ListAudit = z.output<typeof ListAudit>;

export const AuditPage = z.object({
  items: z.array(
    z.object({
      id: z.uuid(),
      actorId: z.uuid().nullable(),
      action: z.string(),
      target: z.string().nullable(),
      outcome: z.enum(["done", "refused"]),
      address: z.string().nullable(),
      details: z.record(z.string(), z.unknown()),
      createdAt: z.date(),
    }),
  ),
  nextCursor: z.string().nullable(),
});
export type AuditPage = z.output<typeof AuditPage>;
