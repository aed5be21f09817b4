import {
  AlertPage,
  AlertTest,
  Connections,
  CurrentMetrics,
  Endpoints,
  GetSpending,
  InRange,
  ListAlerts,
  Series,
  Spending,
  TestAlert,
} from "@parley/contract";
import type { TRPCRouterRecord } from "@trpc/server";
import { permitted } from "../trpc.ts";

const operator = permitted("metrics.read");

export const metrics = {
  /** Each node at its last reading, and how much the database holds. */
  current: operator.output(CurrentMetrics).query(({ ctx }) => ctx.services.metrics.current()),
  /** How everything went, node by node, ready to draw. */
  series: operator
    .input(InRange)
    .output(Series)
    .query(({ ctx, input }) => ctx.services.metrics.series(input.range)),
  /** Calls, errors and times by procedure. */
  endpoints: operator
    .input(InRange)
    .output(Endpoints)
    .query(({ ctx, input }) => ctx.services.metrics.endpoints(input.range)),
  /** What was noticed, the newest first; with `open`, what is still so, or what no longer is. */
  alerts: operator
    .input(ListAlerts)
    .output(AlertPage)
    .query(({ ctx, input }) => ctx.services.alerts.list(input ?? {})),
  /** Sends an alert that is none, to see whether it arrives. The caller hears of it in `chat.live`, too. */
  testAlert: operator
    .input(TestAlert)
    .output(AlertTest)
    .mutation(({ ctx, input }) => ctx.services.alerts.test(ctx.actor, input ?? {})),
  /** What was spent on models, and by whom. */
  usage: operator
    .input(GetSpending)
    .output(Spending)
    .query(({ ctx, input }) => ctx.services.metrics.usage(input)),
  connections: operator.output(Connections).query(({ ctx }) => ctx.services.metrics.connections()),
} satisfies TRPCRouterRecord;
