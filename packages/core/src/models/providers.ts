import type { ProviderList, ProviderState, ProviderTest } from "@parley/contract";
import type { Actor } from "../auth/actor.ts";
import { AppError } from "../errors.ts";
import type { Health } from "../generation/health.ts";
import { includesPermission } from "../keys/scopes.ts";
import type { Ports } from "../ports.ts";
import type { Models } from "./models.ts";
import { type Provider, ProviderError } from "./provider.ts";

const testTimeoutMs = 15_000;

export type Providers = ReturnType<typeof createProviders>;

/** The providers as people and operators see them. */
export function createProviders(
  { clock, scopes }: Pick<Ports, "clock" | "scopes">,
  { models, health }: { models: Models; health: Health },
) {
  /** What a call waits for, it says in its line. */
  async function waitFor<Result>(vendor: Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    try {
      return await vendor;
    } finally {
      const scope = scopes.current();
      if (scope) scope.vendorMs += performance.now() - startedAt;
    }
  }

  function stateOf(provider: Provider, isOperator: boolean): ProviderState {
    const { name, label, isLocal } = provider;
    const details = health.report(provider);
    const offered = models.list().items.filter((model) => model.provider === name).length;
    const ready = details.keys.filter(({ state }) => state === "ready").length;
    const canBeUsed = details.keys.some(({ coolDowns }) => coolDowns.every(({ model }) => model !== null));
    return {
      name,
      label,
      isLocal,
      configured: provider.keys > 0,
      healthy: canBeUsed && (offered === 0 || details.pausedModels.length < offered),
      models: offered,
      keys: { total: provider.keys, ready },
      details: isOperator ? details : null,
    };
  }

  async function testKey(provider: Provider, key: number, signal: AbortSignal): Promise<ProviderTest["keys"][number]> {
    const startedAt = clock.now().getTime();
    const result = (rest: Pick<ProviderTest["keys"][number], "ok" | "models" | "trouble">) => ({
      position: key + 1,
      durationMs: clock.now().getTime() - startedAt,
      ...rest,
    });
    try {
      const listed = await provider.listModels({ key, signal });
      return result({ ok: true, models: listed.length, trouble: null });
    } catch (error) {
      return result({ ok: false, models: null, trouble: error instanceof ProviderError ? error.trouble : "network" });
    }
  }

  const configured = () => models.providers.filter(({ keys }) => keys > 0).map((provider) => stateOf(provider, false));

  return {
    /** By name: what is set up and cannot be asked now. */
    unhealthy: (): string[] => configured().flatMap(({ name, healthy }) => (healthy ? [] : [name])),
    configured,

    /** For operators' eyes only. */
    states: () => models.providers.map((provider) => ({ name: provider.name, ...health.report(provider) })),

    list(actor: Actor): ProviderList {
      const isOperator = includesPermission(actor.permissions, "metrics.read");
      return { items: models.providers.map((provider) => stateOf(provider, isOperator)) };
    },

    async test(name: string, signal?: AbortSignal): Promise<ProviderTest> {
      const provider = models.providers.find((known) => known.name === name);
      if (!provider) throw new AppError("not_found", `There is no provider "${name}"`);
      if (provider.keys === 0) throw new AppError("provider_unconfigured", `${provider.label} is not configured`);
      const limit = AbortSignal.timeout(testTimeoutMs);
      const either = signal ? AbortSignal.any([signal, limit]) : limit;
      const places = Array.from({ length: provider.keys }, (_, key) => key);
      return { provider: name, keys: await waitFor(Promise.all(places.map((key) => testKey(provider, key, either)))) };
    },
  };
}
