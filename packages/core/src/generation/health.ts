import type { Trouble } from "@parley/contract/events";
import type { Provider, ProviderError } from "../models/provider.ts";
import type { Ports } from "../ports.ts";
import { concernsRequest } from "./troubles.ts";

/** How long a key rests where the vendor does not say. */
const usualMs: Partial<Record<Trouble, number>> = { rate: 30_000, quota: 60 * 60_000, auth: 10 * 60_000 };
const shortestMs = 1_000;
const longestMs = 24 * 60 * 60_000;

/** So many failures of the vendor itself in a row, and a model is left alone for a while; then one call tries it. */
const failuresToOpen = 5;
const openMs = 30_000;
/** Failures further apart are no row. */
const rowMs = 60_000;
const none: readonly CoolDown[] = [];

export interface CoolDown {
  key: number;
  /** Vendors limit the rate of each model apart; null for the whole key. */
  model: string | null;
  trouble: Trouble;
  until: number;
}

interface Circuit {
  failures: number;
  lastFailureAt: number;
  openUntil: number;
  isTrying: boolean;
}

/** By provider. */
export type CoolDowns = Map<string, readonly CoolDown[]>;

interface State {
  circuits: Map<string, Circuit>;
  lastOkAt: number | null;
  lastTrouble: { at: number; trouble: Trouble } | null;
}

/** A model of a provider, as the vendor names it. */
export interface Target {
  provider: Provider;
  vendorModelId: string;
}

export type Health = ReturnType<typeof createHealth>;

/** Which keys rest and which models are left alone, as this process has found out. */
export function createHealth({ clock }: Pick<Ports, "clock">, { coolDowns }: { coolDowns: CoolDowns }) {
  const states = new Map<string, State>();
  const now = () => clock.now().getTime();

  function stateOf({ name }: Provider): State {
    let state = states.get(name);
    if (!state) {
      state = { circuits: new Map(), lastOkAt: null, lastTrouble: null };
      states.set(name, state);
    }
    return state;
  }

  function coolDownsOf({ name }: Provider): readonly CoolDown[] {
    const known = coolDowns.get(name);
    if (!known) return none;
    const left = known.filter(({ until }) => until > now());
    if (left.length > 0) coolDowns.set(name, left);
    else coolDowns.delete(name);
    return left;
  }

  function circuitOf(state: State, vendorModelId: string): Circuit {
    let circuit = state.circuits.get(vendorModelId);
    if (!circuit) {
      circuit = { failures: 0, lastFailureAt: 0, openUntil: 0, isTrying: false };
      state.circuits.set(vendorModelId, circuit);
    }
    return circuit;
  }

  function abandoned({ provider, vendorModelId }: Target) {
    const circuit = stateOf(provider).circuits.get(vendorModelId);
    if (circuit) circuit.isTrying = false;
  }

  return {
    /** The first key that may be used for this model now, or why there is none. A model that was left alone is tried by one at a time. */
    take({ provider, vendorModelId }: Target): { key: number } | Trouble {
      const state = stateOf(provider);
      const circuit = state.circuits.get(vendorModelId);
      if (circuit && (circuit.openUntil > now() || circuit.isTrying)) return "overloaded";
      const resting = coolDownsOf(provider).filter(({ model }) => model === null || model === vendorModelId);
      for (let key = 0; key < provider.keys; key++) {
        if (resting.some((coolDown) => coolDown.key === key)) continue;
        if (circuit && circuit.openUntil > 0) circuit.isTrying = true;
        return { key };
      }
      return resting[0]?.trouble ?? "auth";
    },

    succeeded({ provider, vendorModelId }: Target) {
      const state = stateOf(provider);
      state.lastOkAt = now();
      state.circuits.delete(vendorModelId);
    },

    /** Nothing was learned: the call was not made, or its caller left. */
    abandoned,

    failed(
      { provider, vendorModelId }: Target,
      key: number,
      { trouble, retryAfterMs }: Pick<ProviderError, "trouble" | "retryAfterMs">,
    ) {
      const state = stateOf(provider);
      state.lastTrouble = { at: now(), trouble };
      // The vendor is well: it is the request that it does not take.
      if (concernsRequest(trouble)) {
        state.circuits.delete(vendorModelId);
        return;
      }
      const usual = usualMs[trouble];
      if (usual !== undefined) {
        const model = trouble === "rate" ? vendorModelId : null;
        const until = now() + Math.min(Math.max(retryAfterMs ?? usual, shortestMs), longestMs);
        const others = coolDownsOf(provider).filter((known) => known.key !== key || known.model !== model);
        coolDowns.set(provider.name, [...others, { key, model, trouble, until }]);
        abandoned({ provider, vendorModelId });
        return;
      }
      const circuit = circuitOf(state, vendorModelId);
      circuit.isTrying = false;
      circuit.failures = now() - circuit.lastFailureAt > rowMs ? 1 : circuit.failures + 1;
      circuit.lastFailureAt = now();
      if (circuit.failures >= failuresToOpen) circuit.openUntil = now() + openMs;
    },

    /** What operators see. */
    report(provider: Provider) {
      const state = stateOf(provider);
      const resting = coolDownsOf(provider);
      const instant = (time: number | null) => (time === null ? null : new Date(time));
      const keys = Array.from({ length: provider.keys }, (_, key) => {
        const mine = resting.filter((coolDown) => coolDown.key === key);
        return {
          position: key + 1,
          state: mine.length > 0 ? ("cooling" as const) : ("ready" as const),
          coolDowns: mine.map(({ model, trouble, until }) => ({ model, trouble, until: new Date(until) })),
        };
      });
      const paused = Array.from(state.circuits, ([model, { openUntil }]) => ({ model, until: new Date(openUntil) }));
      return {
        keys,
        pausedModels: paused.filter(({ until }) => until.getTime() > now()),
        lastOkAt: instant(state.lastOkAt),
        lastTrouble: state.lastTrouble && { trouble: state.lastTrouble.trouble, at: new Date(state.lastTrouble.at) },
      };
    },
  };
}
