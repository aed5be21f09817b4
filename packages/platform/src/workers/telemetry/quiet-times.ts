const usualMs = 60_000;

/** What Sentry says of its limits, by the kind of an event; the empty name is for all of them. */
export function createQuietTimes() {
  const until = new Map<string, number>();
  const covers = (category: string) => ["", category].some((name) => (until.get(name) ?? 0) > Date.now());

  return {
    covers,
    note({ status, headers, retryAfterMs }: { status: number; headers: Headers; retryAfterMs: number | undefined }) {
      const limits = headers.get("x-sentry-rate-limits");
      if (limits) {
        for (const limit of limits.split(",")) {
          const [seconds, categories = ""] = limit.trim().split(":");
          const end = Date.now() + (Number(seconds) * 1_000 || usualMs);
          for (const category of categories.split(";")) until.set(category, end);
        }
      } else if (status === 429) {
        until.set("", Date.now() + (retryAfterMs ?? usualMs));
      }
    },
  };
}
