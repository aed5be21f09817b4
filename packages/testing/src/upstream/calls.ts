import type { UpstreamCall } from "./script.ts";

type Wanted = Partial<Pick<UpstreamCall, "vendor" | "kind" | "key">>;

/** What arrived, and who waits for it. */
export function createCalls() {
  const all: UpstreamCall[] = [];
  const untaken: UpstreamCall[] = [];
  const waiting: { wanted: Wanted; take: (call: UpstreamCall) => void }[] = [];

  return {
    all,
    arrived(call: UpstreamCall): void {
      all.push(call);
      const index = waiting.findIndex(({ wanted }) => isWanted(call, wanted));
      const [first] = index < 0 ? [] : waiting.splice(index, 1);
      if (first) first.take(call);
      else untaken.push(call);
    },
    forget(): void {
      untaken.length = 0;
    },
    async next(wanted: Wanted = {}): Promise<UpstreamCall> {
      const index = untaken.findIndex((call) => isWanted(call, wanted));
      const [call] = index < 0 ? [] : untaken.splice(index, 1);
      return call ?? new Promise((take) => waiting.push({ wanted, take }));
    },
  };
}

function isWanted(call: UpstreamCall, { vendor = call.vendor, kind = call.kind, key = call.key }: Wanted): boolean {
  return call.vendor === vendor && call.kind === kind && call.key === key;
}
