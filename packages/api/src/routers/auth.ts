import { Login, Me, Register, SignedIn } from "@parley/contract";
import type { TRPCRouterRecord } from "@trpc/server";
import { anyone, signedIn } from "../trpc.ts";

export const auth = {
  /** Makes an account and signs in. */
  register: anyone
    .input(Register)
    .output(SignedIn)
    .mutation(({ ctx, input }) => ctx.services.auth.register(input, ctx)),
  /** Signs in with an e-mail address or a username. */
  login: anyone
    .input(Login)
    .output(SignedIn)
    .mutation(({ ctx, input }) => ctx.services.limits.signIn(ctx.address, () => ctx.services.auth.login(input, ctx))),
  /** The account and the session that this call is made with. */
  me: signedIn.output(Me).query(({ ctx }) => ctx.services.auth.me(ctx.actor)),
} satisfies TRPCRouterRecord;
