import type { Bindings } from "./bindings.ts";
import type { Isolate } from "./isolate/open-isolate.ts";

const known = new WeakMap<Bindings, Promise<Isolate>>();

/**
 * Opened once, for whatever an isolate is asked. Its code, the domain with it, is read and run only then: the worker starts
 * without it, and so does an isolate that only counts, caches or keeps the events of a topic.
 */
export function isolateOf(bindings: Bindings): Promise<Isolate> {
  const before = known.get(bindings);
  if (before) return before;
  const isolate = import("./isolate/open-isolate.ts").then(({ openIsolate }) => openIsolate(bindings));
  known.set(bindings, isolate);
  // Whoever comes next tries again.
  isolate.catch(() => known.delete(bindings));
  return isolate;
}
