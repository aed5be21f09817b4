import type { Trouble } from "@parley/contract/events";
import type { Ports } from "../ports.ts";
import type { Provider, ProviderError } from "./provider.ts";

/** How long a key rests where the vendor does not say. */
const usualMs: Partial<Record<Trouble, number>> = { rate: 30_000, quota: 60 * 60_000, auth: 10 * 60_000 };
const longestMs = 24 * 60 * 60_000;

/** So many failures of the vendor itself in a row, and a model is left alone for a while; then one call tries it. */
const failuresToOpen = 5;
const openMs = 30_000;
/** Failures further apart are no row. */
const rowMs = 60_000;

interface CoolDown {
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

interface State {
  coolDowns: CoolDown[];
  circuits: Map<string, Circuit>;
  lastOkAt: number | null;
  lastTrouble: { at: number; trouble: Trouble } | null;
}

/** A model of a provider, as the vendor names it. */
export interface Target {
  provider: Provider;
  vendorId: string;
}

export type Health = ReturnType<typeof createHealth>;

/** Which keys rest and which models are left alone, as this process has found out. */
export function createHealth({ clock }: Pick<Ports, "clock">) {
  const states = new Map<string, State>();
  const now = () => clock.now().getTime();

  function stateOf({ name }: Provider): State {
    let state = states.get(name);
    if (!state) {
      state = { coolDowns: [], circuits: new Map(), lastOkAt: null, lastTrouble: null };
      states.set(name, state);
    }
    return state;
  }

  function coolDownsOf(state: State): CoolDown[] {
    if (state.coolDowns.length > 0) state.coolDowns = state.coolDowns.filter(({ until }) => until > now());
    return state.coolDowns;
  }

  function circuitOf(state: State, vendorId: string): Circuit {
    let circuit = state.circuits.get(vendorId);
    if (!circuit) {
      circuit = { failures: 0, lastFailureAt: 0, openUntil: 0, isTrying: false };
      state.circuits.set(vendorId, circuit);
    }
    return circuit;
  }

  return {
    /** The first key that may be used for this model now, or how long until there is one. */
    keyFor({ provider, vendorId }: Target): { key: number } | { trouble: Trouble; retryAfterMs: number } {
      const state = stateOf(provider);
      const circuit = state.circuits.get(vendorId);
      if (circuit && (circuit.openUntil > now() || circuit.isTrying)) {
        return { trouble: "overloaded", retryAfterMs: Math.max(circuit.openUntil - now(), 1_000) };
      }
      const resting = coolDownsOf(state).filter(({ model }) => model === null || model === vendorId);
      for (let key = 0; key < provider.keys; key++) {
        if (!resting.some((coolDown) => coolDown.key === key)) return { key };
      }
      const [first] = resting.sort((left, right) => left.until - right.until);
      return first ? { trouble: first.trouble, retryAfterMs: first.until - now() } : { trouble: "auth", retryAfterMs: openMs };
    },

    /** A model that was left alone is tried by one call at a time. */
    began({ provider, vendorId }: Target) {
      const circuit = stateOf(provider).circuits.get(vendorId);
      if (circuit && circuit.openUntil > 0) circuit.isTrying = true;
    },

    succeeded({ provider, vendorId }: Target) {
      const state = stateOf(provider);
      state.lastOkAt = now();
      state.circuits.delete(vendorId);
    },

    /** Nothing was learned: the caller left. */
    abandoned({ provider, vendorId }: Target) {
      const circuit = stateOf(provider).circuits.get(vendorId);
      if (circuit) circuit.isTrying = false;
    },

    failed(
      { provider, vendorId }: Target,
      key: number,
      { trouble, retryAfterMs }: Pick<ProviderError, "trouble" | "retryAfterMs">,
    ) {
      const state = stateOf(provider);
      state.lastTrouble = { at: now(), trouble };
      // The vendor is well: it is the request that it does not take.
      if (trouble === "bad_request" || trouble === "content_filter") {
        state.circuits.delete(vendorId);
        return;
      }
      const usual = usualMs[trouble];
      if (usual !== undefined) {
        const model = trouble === "rate" ? vendorId : null;
        const until = now() + Math.min(retryAfterMs ?? usual, longestMs);
        state.coolDowns = coolDownsOf(state).filter((known) => known.key !== key || known.model !== model);
        state.coolDowns.push({ key, model, trouble, until });
        this.abandoned({ provider, vendorId });
        return;
      }
      const circuit = circuitOf(state, vendorId);
      circuit.isTrying = false;
      circuit.failures = now() - circuit.lastFailureAt > rowMs ? 1 : circuit.failures + 1;
      circuit.lastFailureAt = now();
      if (circuit.failures >= failuresToOpen) circuit.openUntil = now() + openMs;
    },

    /** What operators see. */
    report(provider: Provider) {
      const state = stateOf(provider);
      const coolDowns = coolDownsOf(state);
      const instant = (time: number | null) => (time === null ? null : new Date(time));
      const keys = Array.from({ length: provider.keys }, (_, key) => {
        const mine = coolDowns.filter((coolDown) => coolDown.key === key);
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
