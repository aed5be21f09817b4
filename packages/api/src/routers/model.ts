import {
  EstimateTokens,
  GetModel,
  Model,
  ModelList,
  ProviderList,
  ProviderTest,
  TestProvider,
  TokenEstimate,
} from "@parley/contract";
import type { TRPCRouterRecord } from "@trpc/server";
import { anyone, permitted, signedIn } from "../trpc.ts";

export const model = {
  /** The models that can be asked. Open to guests. */
  list: anyone.output(ModelList).query(({ ctx }) => ctx.services.models.list()),
  get: anyone
    .input(GetModel)
    .output(Model)
    .query(({ ctx, input }) => ctx.services.models.get(input.id)),
  /** Which vendors are there and well. Operators see each key's state, nobody the key. */
  providers: signedIn.output(ProviderList).query(({ ctx }) => ctx.services.providers.list(ctx.actor)),
  /** Asks a vendor with each of its keys. */
  test: permitted("metrics.read")
    .input(TestProvider)
    .output(ProviderTest)
    .mutation(({ ctx, input, signal }) => ctx.services.providers.test(input.provider, signal)),
  /** What a text comes to before a vendor has counted it. */
  estimate: signedIn
    .input(EstimateTokens)
    .output(TokenEstimate)
    .query(({ ctx, input }) => ctx.services.models.estimate(input.model, input.text, ctx.actor.plan)),
} satisfies TRPCRouterRecord;
