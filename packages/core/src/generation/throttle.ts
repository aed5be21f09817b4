import type { Provider } from "../models/provider.ts";
import type { Limit, Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";

export type Throttle = ReturnType<typeof createThrottle>;

/** Our own limits on what each key is asked, kept before the vendor has to refuse. */
export function createThrottle(
  { rateLimiter, background }: Pick<Ports, "rateLimiter" | "background">,
  { generation: { requests, tokens } }: Settings,
) {
  async function take(
    bucket: string,
    key: string,
    { limit, points }: { limit: Limit | null; points: number },
  ): Promise<number | null> {
    if (!limit) return null;
    const { allowed, resetMs } = await rateLimiter.consume(bucket, key, limit, Math.min(points, limit.count));
    return allowed ? null : resetMs;
  }

  return {
    limits: ({ isLocal }: Provider) => !isLocal && (requests !== null || tokens !== null),
    /** Null when the call may be made; otherwise how long the key is at its limit. */
    async take(provider: Provider, key: number, inputTokens: number): Promise<number | null> {
      if (provider.isLocal) return null;
      const name = nameOf(provider, key);
      const waits = await Promise.all([
        take("provider-requests", name, { limit: requests, points: 1 }),
        take("provider-tokens", name, { limit: tokens, points: inputTokens }),
      ]);
      const longest = Math.max(waits[0] ?? -1, waits[1] ?? -1);
      return longest < 0 ? null : longest;
    },
    /** The answer counts once it is there: nobody knows before how long it will be. */
    note(provider: Provider, key: number, outputTokens: number) {
      if (provider.isLocal || !tokens || outputTokens === 0) return;
      const points = Math.min(outputTokens, tokens.count);
      background.run("count a model's answer", async () => {
        await rateLimiter.consume("provider-tokens", nameOf(provider, key), tokens, points);
      });
    },
  };
}

const nameOf = ({ name }: Provider, key: number) => `${name}:${key}`;
