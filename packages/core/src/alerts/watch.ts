import type { Alert } from "@parley/contract";
import type { Sample } from "../metrics/sampler.ts";
import type { Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { type AlertReading, type AlertRule, textOf } from "./rules.ts";

/** Something that is too much, as this node sees it, from the first such reading to the last. */
export interface Episode {
  readonly key: string;
  readonly rule: AlertRule;
  readonly subject: string;
  readonly since: Date;
  /** When the one before it was over, of which people had been told. */
  readonly before: Date | null;
  id: string;
  /** The last reading that was too much. */
  value: number;
  /** Null until it has been so for as long as its rule asks. */
  openedAt: Date | null;
  overAt: Date | null;
  /** As this node last saved it. */
  seenAt: Date | null;
  /** While the database was away, people were told by this node or by another one. */
  told: "here" | "elsewhere" | null;
  /** It came so soon after its like that nobody was told. */
  isQuiet: boolean;
  /** Whoever told of it has had the time to save it under the id that people know. */
  hasWaited: boolean;
}

interface Reading {
  subject: string;
  value: number;
}

/** Without a database that takes them, no more are kept than this. */
const mostOver = 500;

export const keyOf = ({ rule, subject }: Pick<Alert, "rule" | "subject">) => `${rule} ${subject}`;

export type Watch = ReturnType<typeof createWatch>;

/** Compares each sample with the rules, and remembers what is too much and since when. */
export function createWatch(
  { ids, system: { node } }: Pick<Ports, "ids" | "system">,
  { alerts: { rules } }: Pick<Settings, "alerts">,
  { unhealthyProviders }: { unhealthyProviders: () => string[] },
) {
  const current = new Map<string, Episode>();
  const over = new Set<Episode>();
  const lastTold = new Map<string, Date>();

  function readingsOf({ values, dependencies }: Sample, reading: AlertReading): Reading[] {
    const away = (name: string) => dependencies.filter((each) => each.name === name && each.ms === null);
    switch (reading) {
      case "database_away":
        return away("database").map(({ name }) => ({ subject: name, value: 1 }));
      case "redis_away":
        return away("redis").map(({ name }) => ({ subject: name, value: 1 }));
      case "provider_unhealthy":
        return unhealthyProviders().map((subject) => ({ subject, value: 1 }));
      default: {
        const value = values[reading];
        return value === undefined ? [] : [{ subject: node, value }];
      }
    }
  }

  function tooMuch(rule: AlertRule, sample: Sample): Reading[] {
    const { atLeast } = rule;
    if (atLeast && (sample.values[atLeast.reading] ?? 0) < atLeast.count) return [];
    return readingsOf(sample, rule.reading).filter(({ value }) => value > rule.over);
  }

  function begin(rule: AlertRule, { subject, value }: Reading, since: Date): Episode {
    const key = keyOf({ rule: rule.name, subject });
    const before = lastTold.get(key) ?? null;
    const unknown = { openedAt: null, overAt: null, seenAt: null, told: null, isQuiet: false, hasWaited: false };
    const episode: Episode = { key, rule, subject, since, before, id: ids.next(), value, ...unknown };
    current.set(key, episode);
    return episode;
  }

  function end(episode: Episode, at: Date) {
    current.delete(episode.key);
    if (!episode.openedAt && !episode.seenAt) return;
    episode.overAt = at;
    if (episode.told || (episode.seenAt && !episode.isQuiet)) lastTold.set(episode.key, at);
    if (over.size < mostOver) over.add(episode);
  }

  return {
    /** What is too much now. */
    current: current as ReadonlyMap<string, Episode>,
    /** What no longer is, until that is saved. */
    over,
    look(sample: Sample) {
      const still = new Set<Episode>();
      for (const rule of rules) {
        for (const reading of tooMuch(rule, sample)) {
          const key = keyOf({ rule: rule.name, subject: reading.subject });
          const episode = current.get(key) ?? begin(rule, reading, sample.at);
          still.add(episode);
          episode.value = reading.value;
          if (sample.at.getTime() - episode.since.getTime() >= rule.forMs) episode.openedAt ??= sample.at;
        }
      }
      for (const episode of Array.from(current.values())) {
        if (!still.has(episode)) end(episode, sample.at);
      }
    },
    /** Somebody else has ended it, and it is so all the same: another alert, which nobody has heard of. */
    renew(episode: Episode, at: Date) {
      Object.assign(episode, { id: ids.next(), openedAt: at, seenAt: null, told: null, isQuiet: false, hasWaited: false });
    },
  };
}

export function alertOf({ id, rule, subject, value, openedAt, overAt, since }: Episode, seenAt: Date): Alert {
  const { name, severity, over: threshold, unit } = rule;
  const times = { openedAt: openedAt ?? since, seenAt, resolvedAt: overAt };
  return { id, rule: name, subject, severity, text: textOf(rule, subject, value), value, threshold, unit, ...times };
}
