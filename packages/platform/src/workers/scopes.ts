// biome-ignore lint/correctness/noNodejsModules: the runtime has this one of its own
import { AsyncLocalStorage } from "node:async_hooks";
import type { Scope, Scopes } from "@parley/core/ports";

const storage = new AsyncLocalStorage<Scope>();

export function workerScopes(): Scopes {
  return { run: (scope, work) => storage.run(scope, work), current: () => storage.getStore() };
}
