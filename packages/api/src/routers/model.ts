import { ModelList } from "@parley/contract";
import type { TRPCRouterRecord } from "@trpc/server";
import { anyone } from "../trpc.ts";

export const model = {
  /** The models that can be asked. Open to guests. */
  list: anyone.output(ModelList).query(({ ctx }) => ctx.services.models.list()),
} satisfies TRPCRouterRecord;
