import { jsonAnswer } from "./answer.ts";
import type { Exchange } from "./exchange.ts";
import type { ApiOptions, Health } from "./options.ts";
import type { Handler } from "./pipeline.ts";

export function createHealthRoutes(options: ApiOptions): { health: Handler; ready: Handler; live: Handler } {
  const { version, environment, metricsToken, log } = options;
  const summary = (status: Health["status"]) => ({
    status,
    version,
    uptime: Math.round((options.now() - options.startedAt) / 1000),
  });

  async function check(exchange: Exchange): Promise<Pick<Health, "status" | "checks">> {
    try {
      return await options.health();
    } catch (error) {
      log.error({ requestId: exchange.requestId, err: error }, "the health check failed");
      return { status: "down", checks: {} };
    }
  }

  return {
    async health(exchange) {
      const { status, checks } = await check(exchange);
      const report: Health = { ...summary(status), environment, checks };
      return jsonAnswer(status === "down" ? 503 : 200, isOperator(exchange, metricsToken) ? report : summary(status));
    },
    async ready(exchange) {
      const { status } = await check(exchange);
      return jsonAnswer(status === "down" ? 503 : 200, summary(status));
    },
    live: () => jsonAnswer(200, summary("ok")),
  };
}

/** Also for `/metrics`. Without a token nobody is. */
export function isOperator({ headers }: Exchange, metricsToken: string | null): boolean {
  return metricsToken !== null && isSame(headers.get("authorization") ?? "", `Bearer ${metricsToken}`);
}

/** Takes as long for a wrong first letter as for a wrong last one. */
function isSame(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length;
  for (let index = 0; index < expected.length; index += 1) difference |= given.charCodeAt(index) ^ expected.charCodeAt(index);
  return difference === 0;
}
