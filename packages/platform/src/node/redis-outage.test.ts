import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { LogEntry } from "@parley/core/ports";
import { collectingLog, freePort, testClock } from "@parley/testing";
import { Redis } from "ioredis";
import { describe, expect, test, vi } from "vitest";
import { type SharedEventLog, sharedEventLog } from "../shared/index.ts";
import { openRedis } from "./redis.ts";

const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;
if (!hasRedis) console.log("SKIPPED: there is no redis-server here to stop and start");

/** A Redis of one's own, which keeps nothing when it stops. */
async function ownRedis() {
  const folder = await mkdtemp(path.join(os.tmpdir(), "parley-redis-"));
  const port = await freePort();
  let process: ChildProcess;
  const start = () => {
    process = spawn("redis-server", ["--port", String(port), "--save", "", "--appendonly", "no", "--dir", folder], {
      stdio: "ignore",
    });
  };
  const stop = async () => {
    const ended = new Promise((resolve) => process.once("exit", resolve));
    process.kill("SIGKILL");
    await ended;
  };
  start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    stop,
    freeze: () => process.kill("SIGSTOP"),
    thaw: () => process.kill("SIGCONT"),
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(folder, { recursive: true });
    },
  };
}

async function node(url: string) {
  const log = collectingLog();
  const redis = await openRedis(url, log);
  const eventLog = sharedEventLog(await redis.openLogStore(), { clock: testClock(), log, patienceMs: 2_000 });
  return {
    eventLog,
    log,
    ready: () => vi.waitFor(() => redis.ping(), patiently),
    async [Symbol.asyncDispose]() {
      await eventLog.close();
      await redis.close();
    },
  };
}

const patiently = { timeout: 20_000, interval: 20 };
const eventually = <Value>(read: () => Value, wanted: Value) => vi.waitFor(() => expect(read()).toEqual(wanted), patiently);

function follow(eventLog: SharedEventLog, topic: string, after: number) {
  const events: string[] = [];
  const ends: string[] = [];
  const entry = (given: LogEntry<string>) => events.push(given.event) > 0;
  eventLog.follow(topic, after, { entry, end: (reason) => ends.push(reason) });
  return { events, ends };
}

/** As a device of a person: told of a gap, it asks where the topic is, and follows from there. */
function device(eventLog: SharedEventLog, topic: string) {
  const events: string[] = [];
  let gaps = 0;
  let isOver = false;
  const followFromNow = async () => {
    const head = await eventLog.head(topic);
    if (isOver) return;
    eventLog.follow<string>(topic, head, {
      entry: ({ event }) => events.push(event) > 0,
      end(reason) {
        if (reason !== "gap") return;
        gaps++;
        void followFromNow();
      },
    });
  };
  return {
    events,
    gaps: () => gaps,
    follow: followFromNow,
    [Symbol.dispose]() {
      isOver = true;
    },
  };
}

function operatorOf(url: string) {
  const client = new Redis(url);
  return { client, [Symbol.asyncDispose]: async () => client.disconnect() };
}

const isAway = ({ lines }: ReturnType<typeof collectingLog>) =>
  lines.findLast(({ message }) => message.startsWith("the store of events is"))?.level === "warn";

/** Looks and tries go on meanwhile: they are counted by what Redis refuses. */
async function refusals(client: Redis) {
  const counts = (await client.info("errorstats")).matchAll(/_(?:OOM|READONLY):count=(\d+)/g);
  return Array.from(counts, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0);
}

describe.skipIf(!hasRedis)("a Redis that goes", { timeout: 60_000 }, () => {
  test("and comes back empty: nothing fails, readers are told, and it heals", async () => {
    await using redis = await ownRedis();
    await using left = await node(redis.url);
    await using right = await node(redis.url);
    await Promise.all([left.ready(), right.ready()]);
    left.eventLog.append("run:1", "one", { seq: 1, id: "1" });
    const here = follow(left.eventLog, "run:1", 0);
    const there = follow(right.eventLog, "run:1", 0);
    const person = follow(right.eventLog, "user:1", await right.eventLog.head("user:1"));
    await eventually(() => there.events, ["one"]);
    await redis.stop();
    left.eventLog.append("run:1", "two", { seq: 2, id: "2" });
    left.eventLog.append("user:1", "told");
    expect(here.events).toEqual(["one", "two"]);
    await eventually(() => there.ends, ["gap"]);
    redis.start();
    await eventually(() => person.ends, ["gap"]);
    const again = follow(right.eventLog, "run:1", 1);
    await eventually(() => again.events, ["two"]);
    expect(here.ends).toEqual([]);
  });

  test("still, for a while: what was asked meanwhile is there once", async () => {
    await using redis = await ownRedis();
    await using left = await node(redis.url);
    await using right = await node(redis.url);
    await Promise.all([left.ready(), right.ready()]);
    const here = follow(left.eventLog, "user:1", await left.eventLog.head("user:1"));
    const there = follow(right.eventLog, "user:1", await right.eventLog.head("user:1"));
    left.eventLog.append("user:1", "one");
    await eventually(() => [here.events, there.events], [["one"], ["one"]]);
    redis.freeze();
    for (const event of ["two", "three"]) left.eventLog.append("user:1", event);
    await eventually(() => here.events, ["one", "two", "three"]);
    left.eventLog.append("user:1", "four");
    expect(here.events).toEqual(["one", "two", "three", "four"]);
    expect(there.events).toEqual(["one"]);
    redis.thaw();
    await eventually(() => there.events, ["one", "two", "three", "four"]);
    left.eventLog.append("user:1", "five");
    await eventually(() => [here.events.at(-1), there.events.at(-1)], ["five", "five"]);
    expect([here.events.length, there.events.length, here.ends, there.ends]).toEqual([5, 5, [], []]);
  });

  test("still, while much was told by two nodes: both find it back, and everything is there once and in order", async () => {
    await using redis = await ownRedis();
    await using left = await node(redis.url);
    await using right = await node(redis.url);
    await Promise.all([left.ready(), right.ready()]);
    const large = "a".repeat(40_000);
    const people = Array.from({ length: 100 }, (_, index) => `user:${index}`);
    const devices = await Promise.all(
      people.map(async (person) => follow(right.eventLog, person, await right.eventLog.head(person))),
    );
    const tell = (round: number) => {
      for (const person of people) {
        left.eventLog.append(person, `left ${round} ${large}`);
        right.eventLog.append(person, `right ${round} ${large}`);
      }
    };
    tell(0);
    redis.freeze();
    tell(1);
    await vi.waitFor(() => expect([left, right].every(({ log }) => isAway(log))).toBe(true), patiently);
    tell(2);
    redis.thaw();
    const heard = (events: string[], who: string) =>
      events.filter((event) => event.startsWith(who)).map((event) => Number(event.split(" ")[1]));
    await eventually(
      () => devices.map(({ events }) => [heard(events, "left"), heard(events, "right")]),
      devices.map(() => [
        [0, 1, 2],
        [0, 1, 2],
      ]),
    );
    await eventually(() => [left, right].map(({ log }) => isAway(log)), [false, false]);
    expect(devices.flatMap(({ ends }) => ends)).toEqual([]);
  });

  describe.each([
    { trouble: "has no memory left", refuse: ["config", "set", "maxmemory", "1"], accept: ["config", "set", "maxmemory", "0"] },
    { trouble: "is a replica", refuse: ["replicaof", "127.0.0.1", "1"], accept: ["replicaof", "no", "one"] },
  ])("and $trouble: it can be read and not written", ({ refuse, accept }) => {
    test.each(["silent", "told"])("a person who is %s is told of one gap, when it is over", async (kind) => {
      await using redis = await ownRedis();
      await using left = await node(redis.url);
      await left.ready();
      await using operator = operatorOf(redis.url);
      const [command = "", ...values] = refuse;
      await operator.client.call(command, ...values);
      using known = device(left.eventLog, "user:1");
      await known.follow();
      if (kind === "told") left.eventLog.append("user:1", "meanwhile");
      await vi.waitFor(async () => expect(await refusals(operator.client)).toBeGreaterThan(3), patiently);
      using late = device(left.eventLog, "user:1");
      await late.follow();
      expect([known.gaps(), late.gaps()]).toEqual([0, 0]);
      if (kind === "told") await eventually(() => [known.events, late.events], [["meanwhile"], ["meanwhile"]]);
      const [again = "", ...others] = accept;
      await operator.client.call(again, ...others);
      await eventually(() => [known.gaps(), late.gaps()], [1, 1]);
      left.eventLog.append("user:1", "after");
      await eventually(() => [known.events.at(-1), late.events.at(-1)], ["after", "after"]);
      expect([known.gaps(), late.gaps()]).toEqual([1, 1]);
    });
  });

  test("before anybody came: a node starts without it", async () => {
    await using redis = await ownRedis();
    await redis.stop();
    await using left = await node(redis.url);
    const head = await left.eventLog.head("user:1");
    const here = follow(left.eventLog, "user:1", head);
    left.eventLog.append("user:1", "told");
    await eventually(() => here.events, ["told"]);
    redis.start();
    await eventually(() => here.ends, ["gap"]);
    const again = follow(left.eventLog, "user:1", await left.eventLog.head("user:1"));
    left.eventLog.append("user:1", "told again");
    await eventually(() => again.events.at(-1), "told again");
  });
});
