import type { FollowRun } from "@parley/contract";
import type { RunEvent } from "@parley/contract/events";
import type { AccessChanges } from "../access/changes.ts";
import type { Actor } from "../auth/actor.ts";
import { AppError, toAppError } from "../errors.ts";
import { createFeed, type Feed, type FeedSink, type Following, logClosed } from "../feed.ts";
import type { Ports } from "../ports.ts";
import { noRun } from "../refusals.ts";
import { runTopic } from "../topics.ts";
import { handOver } from "./handover.ts";
import { mergeDeltas } from "./merge.ts";
import { type Position, parsePosition } from "./positions.ts";
import { findRunning, findSavedRun, type SavedRun } from "./queries.ts";
import type { Runs } from "./runs.ts";

interface Followed {
  runId: string;
  conversationId: string;
  userId: string;
}

interface Asked extends Followed {
  /** As it was found at the beginning; null where this process writes it. */
  saved: SavedRun | null;
}

interface Follower extends Followed {
  /** From what is saved, however the log stands. */
  readSaved(): void;
  end(error?: AppError): void;
}

const retryMs = 1_000;
/** So often the database may fail a follower before that is told. */
const patience = 15;
const lookForEndsMs = 3_000;

export function createFollow(
  { database, eventLog, background }: Pick<Ports, "database" | "eventLog" | "background">,
  { runs, access }: { runs: Runs; access: AccessChanges },
) {
  const followers = new Set<Follower>();

  access.onChange((change) => {
    if (change.kind !== "membership_ended") return;
    const { userId, conversationId } = change;
    runs.disown(userId, conversationId);
    for (const follower of followers) {
      if (follower.userId === userId && follower.conversationId === conversationId) follower.end(noRun());
    }
  });

  // Whatever else fails, a follower hears of the end: a writer on another node may have died without a word.
  background.every("look for ended runs", lookForEndsMs, async () => {
    const elsewhere = new Set<string>();
    for (const { runId } of followers) if (!runs.isActive(runId)) elsewhere.add(runId);
    if (elsewhere.size === 0) return;
    const running = await findRunning(database, Array.from(elsewhere));
    for (const follower of followers) {
      if (elsewhere.has(follower.runId) && !running.has(follower.runId)) follower.readSaved();
    }
  });

  /**
   * From the log where it has the run; otherwise from what is saved, which the writer's checkpoints keep fresh. What has ended is all
   * saved: no log is asked, which would look for it on other nodes first.
   */
  function followRun({ saved, ...followed }: Asked, from: Position, reader: FeedSink<RunEvent>): Following {
    const { runId, userId } = followed;
    const topic = runTopic(runId);
    const sink = mergeDeltas(reader);
    let position = from;
    let lastId: string | undefined;
    let following: Following | undefined;
    let isReading = false;
    let failures = 0;
    let isOver = false;
    let retry: ReturnType<typeof setTimeout> | undefined;

    function leave() {
      isOver = true;
      clearTimeout(retry);
      following?.stop();
      followers.delete(follower);
    }

    function followLog() {
      lastId = undefined;
      following = eventLog.follow<RunEvent>(topic, position.seq, {
        entry(entry, more) {
          lastId = entry.id;
          const room = sink.entry(entry, more);
          if (entry.event.type === "run-end") follower.end();
          return room && !isOver;
        },
        end(reason) {
          if (reason === "closed") follower.end(logClosed());
          // Finished without its end: the writer was fenced, or this reader has had the end before.
          else follower.readSaved();
        },
      });
      if (isOver || isReading) following.stop();
    }

    async function readSaved() {
      const run = await findSavedRun(database, runId, userId);
      if (isOver) return;
      if (!run) return follower.end(noRun());
      handOverSaved(run);
    }

    function handOverSaved(run: SavedRun) {
      position = handOver(runId, run, (lastId && parsePosition(lastId)) || position, sink);
      if (run.status !== "running") return follower.end();
      // The log may have it again: it had only been away, or this reader was too far behind.
      retry = setTimeout(followLog, retryMs);
    }

    const follower: Follower = {
      ...followed,
      readSaved() {
        if (isReading || isOver) return;
        isReading = true;
        clearTimeout(retry);
        following?.stop();
        readSaved()
          .then(() => {
            failures = 0;
          })
          .catch((error) => {
            if (++failures > patience) follower.end(asAppError(error));
            else if (!isOver) retry = setTimeout(follower.readSaved, retryMs);
          })
          .finally(() => {
            isReading = false;
          });
      },
      end(error) {
        if (isOver) return;
        leave();
        sink.end(error);
      },
    };
    followers.add(follower);
    if (saved && saved.status !== "running") handOverSaved(saved);
    else if (position.isWithin) follower.readSaved();
    else followLog();
    return {
      resume: () => following?.resume(),
      stop: leave,
    };
  }

  return async (actor: Actor, { runId, lastEventId }: FollowRun, signal?: AbortSignal): Promise<Feed<RunEvent>> => {
    const from = parsePosition(lastEventId);
    if (!from) throw new AppError("invalid_input", "This is not the id of an event of a run");
    const { userId } = actor;
    const active = runs.conversationOf(runId, userId);
    const saved = active === undefined ? await findSavedRun(database, runId, userId) : null;
    const conversationId = active ?? saved?.conversationId;
    if (conversationId === undefined) throw noRun();
    return createFeed((sink) => followRun({ runId, conversationId, userId, saved }, from, sink), signal);
  };
}

function asAppError(error: unknown): AppError {
  return toAppError(error) ?? new AppError("unavailable", "The answer cannot be read now", { cause: error });
}
