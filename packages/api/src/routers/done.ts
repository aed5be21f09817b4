import type { Done } from "@parley/contract";

/** What is answered where nothing is asked back. */
export const done: Done = { done: true };
