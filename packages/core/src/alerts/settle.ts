import type { Memory } from "../memory.ts";
import type { Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import type { Announce } from "./announce.ts";
import { endQuiet, findOpenAlerts, insertAlert, insertPastAlert, keepAlert, type OpenAlert, resolveAlert } from "./queries.ts";
import { alertOf, type Episode, keyOf, type Watch } from "./watch.ts";

/** What nobody has seen for so many intervals is over, whoever opened it. */
const stale = 2.5;
/** After a start or an outage, the other nodes are given as long to see theirs again. */
const roundsToJudge = 3;
/** Longer than this between two rounds, and one was missed. */
const missed = 1.5;

/**
 * Makes the database's alerts what this node sees. Every statement changes one row and says whether it did: of several nodes one
 * opens, one resolves, and that one tells people. None waits for another's.
 */
export function createSettle(
  { database, system: { node } }: Pick<Ports, "database" | "system">,
  { metrics: { everyMs } }: Pick<Settings, "metrics">,
  { watch, announce, judged }: { watch: Watch; announce: Announce; judged: Memory["judged"] },
) {
  const staleMs = stale * everyMs;

  /** Who told of it while the database was away saves it first, so that its id stays the same. */
  function lets(episode: Episode): boolean {
    if (episode.told !== "elsewhere" || episode.seenAt || episode.hasWaited) return false;
    episode.hasWaited = true;
    return true;
  }

  /** What another node has seen since is that node's to end. */
  async function close(episode: Episode, known: OpenAlert | undefined, at: Date): Promise<boolean> {
    if (episode.seenAt) {
      const isOurs = known?.seenAt.getTime() === episode.seenAt.getTime();
      return known !== undefined && isOurs && (await resolve(known, episode.overAt ?? at));
    }
    const saved = known ? null : await insertPastAlert(database, given(episode, at));
    // Another node has the same under an id of its own; whoever heard of ours hears of its end.
    if (!saved && episode.told === "here") announce.tell("resolved", alertOf(episode, at));
    if (!saved || saved.quiet) return false;
    if (!episode.told) announce.tell("opened", { ...saved, resolvedAt: null });
    announce.tell("resolved", saved);
    return false;
  }

  async function begin(episode: Episode, at: Date) {
    if (episode.seenAt) watch.renew(episode, at);
    const opened = await insertAlert(database, given(episode, at));
    if (!opened) {
      episode.told ??= "elsewhere";
      return;
    }
    episode.seenAt = opened.seenAt;
    episode.isQuiet = opened.quiet;
    if (!opened.quiet && !episode.told) announce.tell("opened", opened);
  }

  async function keep(episode: Episode, { id, quiet, openedAt }: OpenAlert, at: Date) {
    const { severity, text, value, threshold } = alertOf(episode, at);
    const kept = await keepAlert(database, { id, severity, text, value, threshold });
    if (!kept) return;
    episode.seenAt = kept.seenAt;
    episode.isQuiet = quiet;
    if (!quiet || at.getTime() - openedAt.getTime() < episode.rule.quietMs) return;
    const told = await endQuiet(database, id);
    episode.isQuiet = false;
    if (told) announce.tell("opened", told);
  }

  async function resolve({ id, seenAt }: OpenAlert, at: Date): Promise<boolean> {
    const resolved = await resolveAlert(database, { id, seenAt, at });
    if (resolved && !resolved.quiet) announce.tell("resolved", resolved);
    return resolved !== null;
  }

  return async function settle(at: Date) {
    const open = await findOpenAlerts(database, staleMs);
    const known = new Map(open.map((alert) => [keyOf(alert), alert]));
    for (const episode of Array.from(watch.over)) {
      if (lets(episode)) continue;
      if (await close(episode, known.get(episode.key), at)) known.delete(episode.key);
      watch.over.delete(episode);
    }
    for (const episode of Array.from(watch.current.values())) {
      const alert = known.get(episode.key);
      known.delete(episode.key);
      if (alert) await keep(episode, alert, at);
      else if (episode.openedAt && !lets(episode)) await begin(episode, at);
    }
    const moment = at.getTime();
    judged.rounds = moment - judged.lastAt > missed * everyMs ? 1 : judged.rounds + 1;
    judged.lastAt = moment;
    const judges = judged.rounds > roundsToJudge;
    for (const alert of known.values()) {
      // Nobody else can see what is this node's own: it was left by the process before this one, or by a rule that is gone.
      if (alert.subject === node || (judges && alert.isStale)) await resolve(alert, at);
    }
  };
}

const given = (episode: Episode, at: Date) => ({
  ...alertOf(episode, at),
  quietMs: episode.rule.quietMs,
  isTold: episode.told !== null,
});
