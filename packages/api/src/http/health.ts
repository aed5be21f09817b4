import { type CheckReport, includesPermission } from "@parley/core";
import { jsonAnswer } from "./answer.ts";
import { isOperator, readToken } from "./credentials.ts";
import { type Exchange, originOf } from "./exchange.ts";
import type { ApiOptions } from "./options.ts";
import type { Handler } from "./pipeline.ts";

export function createHealthRoutes(options: ApiOptions): { health: Handler; ready: Handler; live: Handler } {
  const { version, environment, checks, log } = options;
  const summary = (status: CheckReport["status"]) => ({
    status,
    version,
    environment,
    uptime: Math.round((options.now() - options.startedAt) / 1000),
  });
  const isPermitted = createPermission(options);

  async function report(exchange: Exchange, check: () => Promise<CheckReport>): Promise<CheckReport> {
    try {
      return await check();
    } catch (error) {
      log.error({ requestId: exchange.requestId, err: error }, "the health check failed");
      return { status: "down", checks: {} };
    }
  }

  const answer = (status: CheckReport["status"], body: object) => jsonAnswer(status === "down" ? 503 : 200, body);

  return {
    async health(exchange) {
      const { status, checks: found } = await report(exchange, () => checks.health());
      const details = (await isPermitted(exchange)) && { checks: found };
      return answer(status, { ...summary(status), ...details });
    },
    async ready(exchange) {
      const { status } = await report(exchange, () => checks.ready());
      return answer(status, summary(status));
    },
    live: () => answer("ok", summary("ok")),
  };
}

/** So many accounts are looked up in a second: whoever asks with made-up keys must not keep the database busy. */
const mostLookUps = 10;

/** The token of operators, or an account that may read the metrics. */
function createPermission({ metricsToken, createContext, now }: ApiOptions) {
  let second = 0;
  let lookUps = 0;

  function mayLookUp(): boolean {
    const current = Math.floor(now() / 1_000);
    if (current !== second) [second, lookUps] = [current, 0];
    return lookUps++ < mostLookUps;
  }

  return async function isPermitted(exchange: Exchange): Promise<boolean> {
    if (isOperator(exchange, metricsToken)) return true;
    try {
      const token = readToken(exchange, "header");
      if (token === null || !mayLookUp()) return false;
      const { actor } = await createContext({ origin: originOf(exchange), token }, exchange);
      return actor !== null && includesPermission(actor.permissions, "metrics.read");
    } catch {
      // A foreign page's cookie, or a database that is away: the rest of the answer stands.
      return false;
    }
  };
}
