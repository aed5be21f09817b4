import type { Bindings } from "./bindings.ts";
import type { Domain } from "./open-domain.ts";

const known = new WeakMap<Bindings, Promise<Domain>>();

/**
 * Made once, for whatever an isolate is asked. Its code is read and run only then: the worker starts without it, and so does an
 * isolate that only counts, caches or keeps the events of a topic.
 */
export function domainOf(bindings: Bindings): Promise<Domain> {
  const before = known.get(bindings);
  if (before) return before;
  const domain = import("./open-domain.ts").then(({ openDomain }) => openDomain(bindings));
  known.set(bindings, domain);
  return domain;
}
