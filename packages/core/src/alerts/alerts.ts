import type { AlertPage, ListAlerts } from "@parley/contract";
import { inTime } from "../in-time.ts";
import type { Memory } from "../memory.ts";
import { isAway, type Sample, type Sampler } from "../metrics/sampler.ts";
import type { Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import type { Announce } from "./announce.ts";
import { listAlerts, sweepAlerts } from "./queries.ts";
import { createSettle } from "./settle.ts";
import { createChannelTests } from "./test-channels.ts";
import { alertOf, createWatch, type Episode } from "./watch.ts";

const usualPage = 50;
const patienceMs = 5_000;
/** How far apart nodes may notice the same, besides their intervals. */
const slackMs = 2_000;
const sweepMs = 60 * 60_000;
const keptMs = 30 * 24 * 60 * 60_000;

type AlertPorts = Pick<Ports, "background" | "channels" | "clock" | "database" | "ids" | "log" | "rateLimiter" | "system">;

export type Alerts = ReturnType<typeof createAlerts>;

/** Holds each sample against the rules. An alert is opened and resolved once, however many nodes see it. */
export function createAlerts(
  ports: AlertPorts,
  settings: Settings,
  {
    sampler,
    announce,
    judged,
    unhealthyProviders,
  }: { sampler: Sampler; announce: Announce; judged: Memory["judged"]; unhealthyProviders: () => string[] },
) {
  const { background, clock, database, log, rateLimiter } = ports;
  const watch = createWatch(ports, settings, { unhealthyProviders });
  const settle = createSettle(ports, settings, { watch, announce, judged });
  /** By then every node has noticed what one has noticed, and none can have noticed it again after it was over. */
  const windowMs = Math.ceil((1.5 * settings.metrics.everyMs + slackMs) / 1_000) * 1_000;

  sampler.onSample(judge);
  background.every("sweep alerts", sweepMs, () => sweepAlerts(database, new Date(clock.now().getTime() - keptMs)));

  async function judge(sample: Sample) {
    const { at } = sample;
    watch.look(sample);
    if (!isAway(sample) && "answer" in (await inTime(() => save(at), patienceMs))) return;
    for (const episode of watch.current.values()) await tellUnsaved(episode, at);
  }

  /** A database that goes away in the middle keeps it waiting, and nobody waits with it. Two at once do no harm. */
  async function save(at: Date) {
    try {
      await announce.readOperators();
      await settle(at);
    } catch (error) {
      log.warn({ err: error }, "alerts could not be saved: they are told all the same");
      throw error;
    }
  }

  /** Without the database, nodes have only their limiter to agree on who tells. */
  async function tellUnsaved(episode: Episode, at: Date) {
    const { key, openedAt, seenAt, told } = episode;
    if (!openedAt || seenAt || told || isQuiet(episode, at)) return;
    // At once: what is still being saved must not tell of it as well.
    episode.told = "elsewhere";
    const { allowed } = await rateLimiter.consume("alert", key, { count: 1, windowMs });
    if (!allowed) return;
    episode.told = "here";
    announce.tell("opened", alertOf(episode, at));
  }

  return {
    test: createChannelTests(ports, { announce }),

    async list({ open, cursor, limit = usualPage }: NonNullable<ListAlerts>): Promise<AlertPage> {
      const found = await listAlerts(database, { isOpen: open ?? null, before: cursor ?? null, limit: limit + 1 });
      const items = found.slice(0, limit);
      return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
  };
}

/** As for those that are saved: soon after its like, it has to last. */
function isQuiet({ before, openedAt, rule: { quietMs } }: Episode, at: Date): boolean {
  if (!before || !openedAt) return false;
  const [opened, over] = [openedAt.getTime(), before.getTime()];
  return opened - over < quietMs && at.getTime() - opened < quietMs;
}
