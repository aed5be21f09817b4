// biome-ignore lint/correctness/noNodejsModules: workerd has this one of its own
import { AsyncLocalStorage } from "node:async_hooks";
import type { Scope, Scopes } from "@parley/core/ports";

/** One a process: on Node 20 each of them is asked about every promise, for as long as the process lives. */
const storage = new AsyncLocalStorage<Scope>();

export const scopes: Scopes = {
  run: (scope, work) => storage.run(scope, work),
  current: () => storage.getStore(),
};
