import type { FollowLive, FollowRun } from "@parley/contract";
import type { LiveEvent, RunEvent } from "@parley/contract/events";
import type { Actor } from "../auth/actor.ts";
import { AppError, toAppError } from "../errors.ts";
import { createFeed, type Feed, type FeedEntry, type FeedSink, type Following } from "../feed.ts";
import type { Ports } from "../ports.ts";
import { receiptOf } from "../tokens/costs.ts";
import { mergeDeltas } from "./merge.ts";
import { formatPosition, type Position, parsePosition } from "./positions.ts";
import { findSavedRun, type SavedRun } from "./run-queries.ts";
import { type Runs, runTopic } from "./runs.ts";

type FollowPorts = Pick<Ports, "database" | "eventLog">;

export const userTopic = (userId: string) => `user:${userId}`;

const savedPollMs = 1_000;

export function createFollow({ database, eventLog }: FollowPorts, runs: Runs) {
  /** From the log where it has the run; otherwise from what is saved, which the writer's checkpoints keep fresh. */
  function followRun(runId: string, userId: string, from: Position, reader: FeedSink<RunEvent>): Following {
    const sink = mergeDeltas(reader);
    let done = false;
    let following: Following | undefined;
    const finish = (error?: AppError) => {
      if (done) return;
      done = true;
      following?.stop();
      sink.end(error);
    };
    let lastId: string | undefined;
    following = eventLog.follow<RunEvent>(runTopic(runId), from.seq, {
      entry(entry, more) {
        lastId = entry.id;
        const room = sink.entry(entry, more);
        if (entry.event.type === "run-end") finish();
        return room && !done;
      },
      end(reason) {
        if (reason === "closed") finish(closing());
        // Finished without its end: the writer was fenced, or this reader has had the end before.
        else
          void followSaved(runId, userId, (lastId && parsePosition(lastId)) || from, { sink, isDone: () => done }).then(
            () => finish(),
            (error) => finish(asAppError(error)),
          );
      },
    });
    if (done) following.stop();
    return {
      resume: () => following.resume(),
      stop() {
        done = true;
        following.stop();
      },
    };
  }

  async function followSaved(
    runId: string,
    userId: string,
    from: Position,
    { sink, isDone }: { sink: FeedSink<RunEvent>; isDone: () => boolean },
  ) {
    for (let position = from; !isDone(); ) {
      const run = await findSavedRun(database, runId, userId);
      if (!run) throw new AppError("not_found", "This run does not exist");
      if (isDone()) return;
      position = handOver(runId, run, position, sink);
      if (run.status !== "running") return;
      await new Promise((resolve) => setTimeout(resolve, savedPollMs));
    }
  }

  /** A gap is told once, and from then on the follower is up to date. */
  function followLive(topic: string, after: number, sink: FeedSink<LiveEvent>): Following {
    let isStopped = false;
    const catchUp = async () => {
      const head = await eventLog.head(topic);
      if (isStopped) return;
      sink.entry({ id: String(head), event: { type: "resync" } }, false);
      following = followLive(topic, head, sink);
    };
    let following = eventLog.follow<LiveEvent>(topic, after, {
      entry: (entry, more) => sink.entry(entry, more),
      end(reason) {
        if (reason !== "gap") sink.end(closing());
        else void catchUp().catch((error) => sink.end(asAppError(error)));
      },
    });
    return {
      resume: () => following.resume(),
      stop() {
        isStopped = true;
        following.stop();
      },
    };
  }

  return {
    async follow(actor: Actor, { runId, lastEventId }: FollowRun, signal?: AbortSignal): Promise<Feed<RunEvent>> {
      const from = parsePosition(lastEventId);
      if (!from) throw new AppError("invalid_input", "This is not the id of an event of a run");
      if (runs.starter(runId) !== actor.userId && !(await findSavedRun(database, runId, actor.userId))) {
        throw new AppError("not_found", "This run does not exist");
      }
      return createFeed((sink) => followRun(runId, actor.userId, from, sink), signal);
    },

    async live(actor: Actor, { lastEventId }: FollowLive, signal?: AbortSignal): Promise<Feed<LiveEvent>> {
      const topic = userTopic(actor.userId);
      const after = lastEventId == null ? await eventLog.head(topic) : Number(lastEventId);
      if (!Number.isSafeInteger(after) || after < 0) throw new AppError("invalid_input", "This is not the id of a live event");
      return createFeed((sink) => followLive(topic, after, sink), signal);
    },
  };
}

/** What a follower at this position has not seen of a saved run. */
function handOver(runId: string, run: SavedRun, position: Position, sink: FeedSink<RunEvent>): Position {
  const { messageId, conversationId, provider, model, status, attempts, finishReason, error } = run;
  let { seq, text, reasoning, failovers } = position;
  const entries: FeedEntry<RunEvent>[] = [];
  const give = (event: RunEvent) => entries.push({ id: formatPosition({ seq, text, reasoning, failovers }), event });
  if (seq === 0) {
    seq = 1;
    give({ type: "run-start", runId, messageId, conversationId, provider, model, attempt: 1 });
  }
  if (run.failovers.length !== failovers) {
    // What this follower has of the text is void. A crash may also have taken a failover back that it has seen.
    const { from, to, reason } = run.failovers.at(-1) ?? {
      from: { provider, model },
      to: { provider, model },
      reason: "unavailable",
    };
    text = 0;
    reasoning = 0;
    failovers = run.failovers.length;
    give({ type: "failover", from, to, reason, keepThrough: 0 });
  }
  seq = Math.max(seq, run.seq);
  if (run.reasoning.length > reasoning) {
    const delta = run.reasoning.slice(reasoning);
    const offset = reasoning;
    reasoning = run.reasoning.length;
    give({ type: "reasoning-delta", offset, text: delta });
  }
  if (run.text.length > text) {
    const delta = run.text.slice(text);
    const offset = text;
    text = run.text.length;
    give({ type: "text-delta", offset, text: delta });
  }
  if (status !== "running" && position.seq <= run.seq) {
    seq = run.seq + 1;
    const receipt = receiptOf(runId, attempts);
    give({ type: "run-end", status, finishReason, length: run.text.length, receipt, ...(error && { error }) });
  }
  for (const [index, entry] of entries.entries()) sink.entry(entry, index + 1 < entries.length);
  return { seq, text, reasoning, failovers };
}

const closing = () => new AppError("unavailable", "The server is closing: connect again");

function asAppError(error: unknown): AppError {
  return toAppError(error) ?? new AppError("unavailable", "The answer cannot be read now", { cause: error });
}
