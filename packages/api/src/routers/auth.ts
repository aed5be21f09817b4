import {
  ChangePassword,
  Done,
  Login,
  Me,
  Refresh,
  Refreshed,
  Register,
  Registered,
  RequestPasswordReset,
  ResetPassword,
  SignedIn,
  type Tokens,
  VerifyEmail,
} from "@parley/contract";
import { AppError, type IssuedTokens } from "@parley/core";
import type { TRPCRouterRecord } from "@trpc/server";
import { type Context, requireCookies } from "../context.ts";
import { signedIn, signingIn } from "../trpc.ts";
import { done } from "./done.ts";

/** Where the caller wants its tokens: in cookies, and then not in the answer, or in the answer. */
function deliver<Result extends { tokens: IssuedTokens }>(
  ctx: Context,
  result: Result,
  inCookies: boolean | undefined,
): Omit<Result, "tokens"> & { tokens: Tokens } {
  if (!inCookies) return result;
  const { tokens } = result;
  requireCookies(ctx).keep(tokens, ctx.services.sessions.lifetimeSeconds);
  return { ...result, tokens: { expiresIn: tokens.expiresIn, tokenType: tokens.tokenType } };
}

export const auth = {
  /** Makes an account and signs in; where addresses are verified, the first sign-in comes after the letter. */
  register: signingIn
    .input(Register)
    .output(Registered)
    .mutation(async ({ ctx, input }) => {
      if (input.cookie) requireCookies(ctx);
      const registered = await ctx.services.auth.register(input, ctx.origin);
      return "next" in registered ? registered : deliver(ctx, registered, input.cookie);
    }),
  /** Signs in with an e-mail address or a username. */
  login: signingIn
    .input(Login)
    .output(SignedIn)
    .mutation(async ({ ctx, input }) => {
      if (input.cookie) requireCookies(ctx);
      const login = () => ctx.services.auth.login(input, ctx.origin);
      return deliver(ctx, await ctx.services.limits.signIn(ctx.origin.address, login), input.cookie);
    }),
  /** The next pair of tokens for a refresh token, which is then used up. */
  refresh: signingIn
    .input(Refresh)
    .output(Refreshed)
    .mutation(async ({ ctx, input }) => {
      const cookie = input.refreshToken === undefined ? ctx.transport.cookies?.refreshToken : undefined;
      const refreshToken = input.refreshToken ?? cookie;
      if (!refreshToken) throw new AppError("unauthenticated", "There is no refresh token");
      return deliver(ctx, { tokens: await ctx.services.auth.refresh(refreshToken, input, ctx.origin) }, cookie !== undefined);
    }),
  /** Ends this session, here and everywhere. */
  logout: signedIn.output(Done).mutation(async ({ ctx }) => {
    await ctx.services.auth.logout(ctx.actor, ctx.origin);
    ctx.transport.cookies?.clear();
    return done;
  }),
  /** The account and the session that this call is made with. */
  me: signedIn.output(Me).query(({ ctx }) => ctx.services.auth.me(ctx.actor)),
  /** Ends all other sessions. */
  changePassword: signedIn
    .input(ChangePassword)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.limits.signIn(ctx.origin.address, () => ctx.services.auth.changePassword(ctx.actor, input, ctx.origin));
      return done;
    }),
  /** Sends a link, if there is such an account; the answer does not say. */
  requestPasswordReset: signingIn
    .input(RequestPasswordReset)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.limits.passwordReset(ctx.origin.address);
      ctx.services.auth.requestPasswordReset(input.email);
      return done;
    }),
  /** With the link's token. Ends all sessions. */
  resetPassword: signingIn
    .input(ResetPassword)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.limits.passwordReset(ctx.origin.address);
      await ctx.services.auth.resetPassword(input.token, input.newPassword, ctx.origin);
      return done;
    }),
  requestEmailVerification: signedIn.output(Done).mutation(async ({ ctx }) => {
    await ctx.services.auth.requestEmailVerification(ctx.actor);
    return done;
  }),
  /** With the link's token. */
  verifyEmail: signingIn
    .input(VerifyEmail)
    .output(Done)
    .mutation(async ({ ctx, input }) => {
      await ctx.services.auth.verifyEmail(input.token, ctx.origin);
      return done;
    }),
} satisfies TRPCRouterRecord;
