import {
  Account,
  AccountPage,
  AuditPage,
  ById,
  CreateInvitation,
  Invitation,
  ListAccounts,
  ListAudit,
  SetPlan,
  SetRole,
} from "@parley/contract";
import type { TRPCRouterRecord } from "@trpc/server";
import { permitted } from "../trpc.ts";

const manager = permitted("users.manage");

const users = {
  /** A page of all accounts, the newest first. */
  list: manager
    .input(ListAccounts)
    .output(AccountPage)
    .query(({ ctx, input }) => ctx.services.administration.users.list(ctx.actor, input)),
  /** Takes effect within seconds, on open sockets too. */
  suspend: manager
    .input(ById)
    .output(Account)
    .mutation(({ ctx, input }) => ctx.services.administration.users.suspend(ctx.actor, input.id, ctx.origin)),
  restore: manager
    .input(ById)
    .output(Account)
    .mutation(({ ctx, input }) => ctx.services.administration.users.restore(ctx.actor, input.id, ctx.origin)),
  /** And a budget of one's own, in place of the plan's. */
  setPlan: manager
    .input(SetPlan)
    .output(Account)
    .mutation(({ ctx, input }) => ctx.services.administration.users.setPlan(ctx.actor, input, ctx.origin)),
  /** Nobody grants more than they have. */
  setRole: manager
    .input(SetRole)
    .output(Account)
    .mutation(({ ctx, input }) => ctx.services.administration.users.setRole(ctx.actor, input, ctx.origin)),
} satisfies TRPCRouterRecord;

const audit = {
  /** Who did what to what, the newest first. */
  list: manager
    .input(ListAudit)
    .output(AuditPage)
    .query(({ ctx, input }) => ctx.services.administration.audit.list(ctx.actor, input)),
} satisfies TRPCRouterRecord;

const invites = {
  /** A link that makes one account, where registration is by invitation; with an address, in a letter too. */
  create: manager
    .input(CreateInvitation)
    .output(Invitation)
    .mutation(({ ctx, input }) => ctx.services.auth.invite(ctx.actor, input, ctx.origin)),
} satisfies TRPCRouterRecord;

export const admin = { users, audit, invites } satisfies TRPCRouterRecord;
