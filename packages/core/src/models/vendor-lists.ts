import { Model } from "@parley/contract";
import type { Caches, Kind } from "../cache/caches.ts";
import type { Provider, VendorModel } from "./provider.ts";

const minuteMs = 60_000;
const listTimeoutMs = 10_000;
const times = { ttlMs: 30 * minuteMs, staleMs: 0, keepMs: 24 * 60 * minuteMs } satisfies Partial<Kind<VendorModel[]>>;

const Listed = Model.omit({ provider: true, isDefault: true }).partial().required({ id: true }).array();

export type VendorLists = ReturnType<typeof createVendorLists>;

/** What vendors say they have. Nodes with the same account at a vendor ask it once for all of them. */
export function createVendorLists({ caches }: { caches: Caches }) {
  const shared = caches.cached<VendorModel[]>({ name: "models", ...times, read: (stored) => Listed.parse(stored) });
  const own = caches.cached<VendorModel[]>({ name: "own_models", ...times });
  const placeOf = ({ name, account }: Provider) =>
    account === undefined ? { lists: own, key: name } : { lists: shared, key: `${name}:${account}` };

  return {
    /** Throws what the last of the keys was told, where nothing is known from before. */
    ask(provider: Provider): Promise<VendorModel[]> {
      const { lists, key } = placeOf(provider);
      return lists.get(key, () => listWithAnyKey(provider));
    },
    /** From the vendor itself, now. */
    askAnew(provider: Provider): Promise<VendorModel[]> {
      const { lists, key } = placeOf(provider);
      return lists.renew(key, () => listWithAnyKey(provider));
    },
  };
}

async function listWithAnyKey(provider: Provider): Promise<VendorModel[]> {
  const signal = AbortSignal.timeout(listTimeoutMs);
  for (let key = 0; ; key++) {
    try {
      return await provider.listModels({ key, signal });
    } catch (error) {
      if (key + 1 >= provider.keys || signal.aborted) throw error;
    }
  }
}
