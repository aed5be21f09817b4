import type { AppRouter } from "@parley/api/types";
import { createTRPCClient, httpBatchLink, type TRPCLink } from "@trpc/client";
import superjson from "superjson";
import type { Identity, RefreshCall } from "./auth/identity.ts";
import { renewingLink } from "./auth/renewing-link.ts";
import { nameReason } from "./errors.ts";
import type { ParleyOptions } from "./options.ts";
import { createSubscriptionLink } from "./subscriptions.ts";
import { shareLive } from "./tabs/shared-live.ts";
import { createWire, type Wire } from "./wire.ts";

const maximumBatch = 20;
/** Node's own limit for a request's head is 16 KB. */
const longestUrl = 8_000;
/** While somebody renews a token, all tabs and processes with the same store wait. */
const refreshMs = 15_000;

export interface Links {
  links: TRPCLink<AppRouter>[];
  drop(): Promise<void>;
  close(): Promise<void>;
}

export function createLinks(options: ParleyOptions, identity: Identity): Links {
  const wire = createWire(options, identity);
  const { link, reconnect, drop, close } = createSubscriptionLink(wire, options, identity);
  const calls = callLink(wire);
  const both: TRPCLink<AppRouter> = (runtime) => {
    const [followed, called] = [link(runtime), calls(runtime)];
    return (given) => (given.op.type === "subscription" ? followed : called)(given);
  };
  const shared = shareLive(wire.url, identity);
  return {
    links: [shared.link, renewingLink(identity, reconnect), both],
    async drop() {
      shared.drop();
      await drop();
    },
    async close() {
      shared.drop();
      await close();
    },
  };
}

/** Apart from everything else: whoever renews a token must not wait for one. */
export function createRefreshCall(options: ParleyOptions): RefreshCall {
  const nobody = { usesCookies: options.auth?.cookie === true, token: async () => null };
  const client = createTRPCClient<AppRouter>({ links: [callLink(createWire(options, nobody))] });
  return (input) =>
    client.auth.refresh.mutate(input, { signal: AbortSignal.timeout(refreshMs) }).catch((error) => {
      nameReason(error);
      throw error;
    });
}

const callLink = (wire: Wire) =>
  httpBatchLink<AppRouter>({ ...wire, transformer: superjson, maxItems: maximumBatch, maxURLLength: longestUrl });
