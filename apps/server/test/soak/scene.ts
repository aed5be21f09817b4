import { setTimeout as pause } from "node:timers/promises";
import { schema } from "@parley/core/database";
import { and, eq, inArray, lt, sql } from "drizzle-orm";
import { ActedRun } from "./acted-run.ts";
import { planAnswer } from "./answer-plan.ts";
import { type Follower, openFollower } from "./follower.ts";
import type { Lane } from "./lane.ts";
import { openListener } from "./listener.ts";
import { followersOfRun, type Operation } from "./operations.ts";
import type { Random } from "./random.ts";
import { twoModels } from "./stage.ts";

export type Scene = Awaited<ReturnType<typeof openScene>>;

const { runs: runRows } = schema;
const leaseMs = 15_000;
const settleMs = 20_000;

/** The runs of one case on the nodes of its lane, and everything that can happen to them. */
export async function openScene(lane: Lane, { key, random, runs: count }: { key: string; random: Random; runs: number }) {
  const { world } = lane;
  const violations: string[] = [];
  const complain = (what: string) => violations.push(what);
  const underWay = new Set<Promise<void>>();
  const plans = Array.from({ length: count }, (_, index) => {
    const owner = lane.people[index < 2 ? index : random.below(2)] ?? lane.people[0];
    return { owner, plan: planAnswer(random, { key: `${key}-${index}`, owner: owner.name, models: twoModels(random) }) };
  });
  const runs = await Promise.all(
    plans.map(({ owner, plan }, index) => {
      const forbidden = plans.filter((other) => other.owner !== owner).map((other) => other.plan.mark);
      return ActedRun.open({ index, owner, forbidden, play: world.stage.perform(plan), complain });
    }),
  );

  const listeners = await Promise.all(
    lane.people.map((person) => {
      const forbidden = plans.filter((other) => other.owner !== person).map((other) => other.plan.mark);
      return openListener({ name: person.name, token: person.token, forbidden, complain });
    }),
  );

  async function send(run: ActedRun, { node: index, cutAfter }: { node: number; cutAfter: number | null }) {
    if (!run.accepted) run.listenedSince = listenerOf(run)?.since ?? null;
    await run.send(lane.node(index), cutAfter);
  }

  const listenerOf = ({ owner }: ActedRun) => listeners[owner === lane.people[0] ? 0 : 1];

  async function save(index: number): Promise<boolean> {
    const node = lane.node(index);
    const said = runs.map((run) => ({ run, length: run.saidAt(node), attempts: run.play.calls.length }));
    const isSaved = await node.save();
    if (isSaved) {
      for (const { run, length, attempts } of said)
        if (run.play.calls.length === attempts) run.savedLength = Math.max(run.savedLength, length);
    }
    return isSaved;
  }

  async function follower(run: ActedRun, index: number): Promise<Follower | null> {
    const { runId, owner, forbidden, followers } = run;
    if (runId === null) return null;
    const name = `run ${run.index}, follower ${index}`;
    followers[index] ??= await openFollower({ name, runId, token: owner.token, forbidden, complain });
    return followers[index] ?? null;
  }

  async function start(index: number) {
    if (lane.node(index).hasCrashed) await lane.restart(index);
  }

  async function fence(run: ActedRun, index: number) {
    if (run.runId === null || world.kind === "memory") return;
    run.mayBeInterrupted = true;
    run.isFenced = true;
    await world.database
      .update(runRows)
      .set({ leaseUntil: sql`now() - interval '1 second'` })
      .where(and(eq(runRows.id, run.runId), eq(runRows.status, "running")));
    await lane.node(index).reap();
  }

  /** What need not be over before the next thing happens. */
  async function perhapsWait(work: Promise<void>, wait: boolean) {
    underWay.add(work);
    const over = work.finally(() => underWay.delete(work));
    if (wait) await over;
  }

  async function perform(operation: Operation): Promise<unknown> {
    const run = "run" in operation ? runs[operation.run] : runs[0];
    const node = lane.node("node" in operation ? operation.node : 0);
    if (!run) return;
    switch (operation.do) {
      case "send":
        return perhapsWait(send(run, operation), operation.wait);
      case "say":
        return run.play.release(operation.pieces);
      case "follow":
        return (await follower(run, operation.follower))?.connect({ node, by: operation.by, cutAfter: operation.cutAfter });
      case "listen":
        return listeners[operation.person]?.connect({ node, by: operation.by, cutAfter: operation.cutAfter });
      case "drop":
        return run.followers[operation.follower]?.drop();
      case "stall":
        return run.followers[operation.follower]?.stall();
      case "flow":
        return run.followers[operation.follower]?.flow();
      case "stop":
        return perhapsWait(run.stop(node), operation.wait);
      case "save":
        return save(operation.node);
      case "reap":
        return node.reap();
      case "crash":
        for (const each of runs) if (each.mayBeWrittenBy(node)) each.mayBeInterrupted = true;
        return node.crash();
      case "start":
        return start(operation.node);
      case "fence":
        return fence(run, operation.node);
      case "cut-database":
        return node.toDatabase?.drop();
      case "cut-redis":
        return node.toRedis?.drop();
      case "stall-redis":
        return node.toRedis?.stall();
      case "flow-redis":
        return node.toRedis?.flow();
      case "flush-redis":
        return world.redis?.flush();
      case "wait":
        return pause(operation.milliseconds);
    }
  }

  /** Whatever no living process renews has run out: what takes fifteen seconds otherwise. */
  async function letLeasesRunOut() {
    if (!world.isDriven) return;
    const now = Date.now();
    for (const [index, node] of lane.nodes.entries()) {
      for (let tries = 0; !node.hasCrashed && tries < 20 && !(await save(index)); tries++) await pause(50);
    }
    const ids = runs.flatMap(({ runId }) => runId ?? []);
    if (ids.length === 0) return;
    const abandoned = and(
      inArray(runRows.id, ids),
      eq(runRows.status, "running"),
      lt(runRows.leaseUntil, new Date(now + leaseMs)),
    );
    await world.database.update(runRows).set({ leaseUntil: sql`now() - interval '1 second'` }).where(abandoned);
    await lane.living().reap();
  }

  async function areOver(which: readonly ActedRun[]): Promise<boolean> {
    const ids = which.flatMap(({ runId }) => runId ?? []);
    const rows = await world.database.select({ status: runRows.status }).from(runRows).where(inArray(runRows.id, ids));
    return rows.every(({ status }) => status !== "running");
  }

  return {
    lane,
    world,
    random,
    runs,
    listeners,
    listenerOf,
    violations,
    complain,
    perform,
    follower,
    /** Until every message is acknowledged and every run is over, however much is broken. Says which runs had to be stopped by then. */
    async settle(): Promise<Set<ActedRun>> {
      await Promise.all(underWay);
      for (const [index, node] of lane.nodes.entries()) {
        node.toRedis?.flow();
        if (node.hasCrashed && (index === 0 || random.chance(0.7))) await lane.restart(index);
      }
      for (const run of runs) {
        for (let tries = 0; !run.accepted && tries < 50; tries++) {
          await run.send(lane.living(), null);
          if (!run.accepted) await pause(100);
        }
        if (!run.accepted) complain(`run ${run.index}: its message was never accepted`);
      }
      const toStop = new Set(runs.filter((run) => run.isStopped && !run.play.calls.at(-1)?.isOver));
      await letLeasesRunOut();
      const until = Date.now() + settleMs;
      // Their writers hear of it by themselves, within half a second: until then nobody says more.
      while (!world.isDriven && !(await areOver([...toStop])) && Date.now() < until) await pause(20);
      for (const { play } of runs) play.release(Number.POSITIVE_INFINITY);
      while (!(await areOver(runs))) {
        if (Date.now() > until) {
          complain("some runs do not end");
          break;
        }
        await pause(10);
        await letLeasesRunOut();
      }
      // A writer that lost its run to another one has still to say what it spent.
      await Promise.all(lane.nodes.map((node) => node.settled()));
      return toStop;
    },
    followersOfRun,
    close() {
      for (const listener of listeners) listener.close();
      for (const run of runs) {
        run.close();
        world.stage.forget(run.play.plan);
      }
    },
  };
}
