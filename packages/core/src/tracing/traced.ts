import type { Scopes } from "../ports.ts";
import type { Span } from "./span.ts";

/** The work goes on in a scope of its own, so that what it does is told below its span. */
export function underSpan<Result>(scopes: Scopes, span: Span, work: () => Result): Result {
  return scopes.run({ databaseMs: 0, vendorMs: 0, span }, work);
}
