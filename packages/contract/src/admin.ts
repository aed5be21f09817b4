import * as z from "zod";
import { Email, Plan } from "./auth.ts";
import { object } from "./object.ts";
import { PageSize } from "./shapes.ts";
import { ById, id, text } from "./text.ts";

const Budget = object(() => ({
  tokens: z.int().nonnegative().nullable(),
  micros: z.int().nonnegative().nullable(),
}));

export const Account = object(() => ({
  id: id(),
  email: z.string(),
  emailVerified: z.boolean(),
  username: z.string().nullable(),
  displayName: z.string(),
  role: z.string(),
  plan: Plan,
  /** A month's, of one's own; null is the plan's. */
  budget: Budget,
  status: z.enum(["active", "suspended"]),
  lockedUntil: z.date().nullable(),
  lastLoginAt: z.date().nullable(),
  lastActiveAt: z.date().nullable(),
  createdAt: z.date(),
}));
export type Account = z.output<typeof Account>;

/** `search` is a part of an address or a name. */
export const ListAccounts = object(() => ({
  cursor: id().optional(),
  limit: PageSize.optional(),
  search: text().trim().min(1).max(100).optional(),
}));
export type ListAccounts = z.output<typeof ListAccounts>;

export const AccountPage = object(() => ({ items: z.array(Account), nextCursor: z.string().nullable() }));
export type AccountPage = z.output<typeof AccountPage>;

export const SetRole = ById.extend({ role: text().min(1).max(50) });
export type SetRole = z.output<typeof SetRole>;

/** Without a budget the one there is stays. */
export const SetPlan = object(() => ({ id: id(), plan: Plan, budget: Budget.optional() }));
export type SetPlan = z.output<typeof SetPlan>;

export const ListAudit = object(() => ({
  cursor: id().optional(),
  limit: PageSize.optional(),
  actorId: id().optional(),
  action: text().min(1).max(100).optional(),
}));
export type ListAudit = z.output<typeof ListAudit>;

export const AuditPage = object(() => ({
  items: z.array(
    z.object({
      id: id(),
      actorId: id().nullable(),
      action: z.string(),
      target: z.string().nullable(),
      outcome: z.enum(["done", "refused"]),
      address: z.string().nullable(),
      details: z.record(z.string(), z.unknown()),
      createdAt: z.date(),
    }),
  ),
  nextCursor: z.string().nullable(),
}));
export type AuditPage = z.output<typeof AuditPage>;

/** With an address, the link is sent there as well. */
export const CreateInvitation = object(() => ({ email: Email.optional() })).optional();
export type CreateInvitation = z.output<typeof CreateInvitation>;

/** Whoever opens the link may register, once. */
export const Invitation = object(() => ({ link: z.string(), token: z.string(), expiresAt: z.date() }));
export type Invitation = z.output<typeof Invitation>;
