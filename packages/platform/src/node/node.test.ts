import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { collectingLog, migrationsFolder } from "@parley/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { backgroundContract } from "../contracts/background.ts";
import { passwordsContract } from "../contracts/passwords.ts";
import { rateLimiterContract } from "../contracts/rate-limiter.ts";
import { nodeBackground } from "./background.ts";
import { lockFolder } from "./folder-lock.ts";
import { pinoLog } from "./log/log.ts";
import { type MigrationTarget, migrate } from "./migrate.ts";
import { argon2Passwords } from "./passwords.ts";
import { openRedis } from "./redis.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "parley-node-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("lockFolder", () => {
  const lockOf = (content: object) => writeFile(path.join(folder, "lock"), JSON.stringify(content));
  const bornAt = (pid: number) => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19] ?? null;
  const other = {
    pid: process.ppid,
    host: os.hostname(),
    at: Date.now(),
    born: process.platform === "linux" ? bornAt(process.ppid) : null,
  };

  test("keeps a second process out and says which one is in", async () => {
    await lockOf(other);
    await expect(lockFolder(folder)).rejects.toThrow(`in use by another Parley (process ${process.ppid}`);
  });

  test.each([
    ["a process that has died", { ...other, pid: 2 ** 22 + 1 }],
    ["a process whose number another one has now", { ...other, born: "1" }],
    ["a process before the machine was started", { ...other, at: 1 }],
    ["nobody who can be understood, long ago", "nonsense"],
  ])("takes over from %s", async (_, content) => {
    await lockOf(content as object);
    if (content === "nonsense") {
      const { utimes } = await import("node:fs/promises");
      await utimes(path.join(folder, "lock"), 1, 1);
    }
    const lock = await lockFolder(folder);
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test("leaves another's lock alone when it is released", async () => {
    const lock = await lockFolder(folder);
    await lockOf(other);
    await lock.release();
    expect(await readdir(folder)).toEqual(["lock"]);
  });
});

describe("argon2Passwords", () => {
  passwordsContract(() => argon2Passwords());

  test("takes a hash of bcrypt that came from elsewhere, and wants another one", async () => {
    const bcrypt = "$2b$04$/.fjlXmTeDEBW810Dwzpu.Vihc/tYE5J/Ub5uewLxNy4CEHHEBXTq";
    const passwords = argon2Passwords();
    expect(await passwords.verify(bcrypt, "Correct-horse-1")).toBe(true);
    expect(await passwords.verify(bcrypt, "Wrong-horse-1")).toBe(false);
    expect(passwords.isOutdated(bcrypt)).toBe(true);
  });

  test("refuses at once when the queue is too long", async () => {
    const passwords = argon2Passwords({ atOnce: 1, queueLimit: 2 });
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => passwords.hash("Correct-horse-1")));
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
      "rejected",
    ]);
    expect(results[5]).toMatchObject({ reason: { reason: "unavailable" } });
    await expect(passwords.hash("Correct-horse-1")).resolves.toContain("argon2id");
  });
});

describe("nodeBackground", () =>
  backgroundContract(() => {
    const log = collectingLog();
    const failed = () => log.lines.map(({ fields }) => Reflect.get(fields, "task"));
    return { background: nodeBackground(log), begin() {}, failed };
  }));

describe("pinoLog", () => {
  test("writes daily files, errors apart, and no secret", async () => {
    const log = pinoLog({ level: "info", folder, secrets: [] });
    log.info({ password: "canary-1", deep: { accessToken: "canary-2" }, headers: { authorization: "canary-3" } }, "signed in");
    log.error({ err: new Error("broken") }, "failed");
    log.debug({}, "not this");
    log.flush();
    const files = (await readdir(folder)).filter((name) => name.endsWith(".log")).sort();
    expect(files.map((name) => name.split(".")[0])).toEqual(["errors", "parley"]);
    const [errors, all] = await Promise.all(files.map((name) => readFile(path.join(folder, name), "utf8")));
    expect(all).toContain("signed in");
    expect(all).toContain("broken");
    expect(errors).toContain("broken");
    expect(errors).not.toContain("signed in");
    expect(all).not.toContain("canary");
    expect(all).not.toContain("not this");
  });
});

describe("migrate", () => {
  function target() {
    const scripts: string[] = [];
    const hashes: string[] = [];
    const recording: MigrationTarget = {
      query: async () => hashes.map((hash) => ({ hash })),
      script: async (text) => {
        scripts.push(text);
        const hash = /values \('([0-9a-f]{64})'/.exec(text)?.[1];
        if (hash) hashes.push(hash);
      },
    };
    return { scripts, hashes, recording };
  }

  test("applies each migration once", async () => {
    const { hashes, recording } = target();
    await migrate(migrationsFolder, recording);
    const count = hashes.length;
    expect(count).toBeGreaterThan(2);
    await migrate(migrationsFolder, recording);
    expect(hashes).toHaveLength(count);
  });

  test("runs one that must not be in a transaction statement by statement", async () => {
    const { mkdir } = await import("node:fs/promises");
    await mkdir(path.join(folder, "meta"));
    await writeFile(path.join(folder, "meta/_journal.json"), JSON.stringify({ entries: [{ tag: "0000_big", when: 1 }] }));
    await writeFile(
      path.join(folder, "0000_big.sql"),
      "-- outside a transaction\nselect 1;\n--> statement-breakpoint\nselect 2;",
    );
    const { scripts, recording } = target();
    await migrate(folder, recording);
    expect(scripts.join()).not.toContain("begin");
    expect(scripts.filter((text) => text.includes("select"))).toHaveLength(2);
  });
});

const redisUrl = process.env.TEST_REDIS_URL;
describe.skipIf(!redisUrl)("redis rate limiter", () => {
  rateLimiterContract(async () => (await openRedis(redisUrl ?? "", collectingLog())).rateLimiter);

  test("counts on its own while Redis is away", async () => {
    const log = collectingLog();
    const redis = await openRedis("redis://127.0.0.1:1", log);
    const limit = { count: 2, windowMs: 60_000 };
    const states = [];
    for (let count = 0; count < 3; count++) states.push(await redis.rateLimiter.consume("away", "key", limit));
    expect(states.map(({ allowed }) => allowed)).toEqual([true, true, false]);
    await redis.rateLimiter.refund("away", "key", limit);
    await expect(redis.ping()).rejects.toThrow();
    expect(log.lines.filter(({ level }) => level === "warn")).toHaveLength(1);
    await redis.close();
  });
});
