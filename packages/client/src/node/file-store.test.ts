import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileStore } from "./file-store.ts";

const credentials = { accessToken: "access", refreshToken: "refresh", expiresAt: 1 };
let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "parley-store-"));
  file = path.join(folder, "deep", "credentials.json");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("what is kept is its owner's alone, and nothing is left beside it", async () => {
  const store = fileStore(file);
  expect(await store.read()).toBeNull();
  await store.write(credentials);
  expect(await fileStore(file).read()).toEqual(credentials);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700);
  expect(await readdir(path.dirname(file))).toEqual(["credentials.json"]);
  await store.write(null);
  await store.write(null);
  expect(await store.read()).toBeNull();
});

test("a file that somebody has spoilt is as none", async () => {
  const store = fileStore(file);
  await store.write(credentials);
  for (const text of ["", "{", "[]", "null", '{"accessToken":1}']) {
    await writeFile(file, text);
    expect(await store.read(), text).toBeNull();
  }
});

test("a folder that cannot be written to is told", async () => {
  await writeFile(path.join(folder, "deep"), "a file");
  await expect(fileStore(file).write(credentials)).rejects.toThrow(/ENOTDIR|EEXIST/);
  await expect(fileStore(file).lock?.(async () => {})).rejects.toThrow(/ENOTDIR|EEXIST/);
});

test("a link stays one, and leads to what is kept", async () => {
  const kept = path.join(folder, "kept.json");
  await writeFile(kept, "");
  await mkdir(path.dirname(file));
  await symlink(kept, file);
  await fileStore(file).write(credentials);
  expect((await lstat(file)).isSymbolicLink()).toBe(true);
  expect(JSON.parse(await readFile(kept, "utf8"))).toEqual(credentials);
  await fileStore(file).write(null);
  await expect(readFile(kept)).rejects.toThrow("ENOENT");
  expect(await fileStore(file).read()).toBeNull();
});

test.runIf(process.platform !== "win32")("a file that others may read is taken from them", async () => {
  const store = fileStore(file);
  await store.write(credentials);
  await chmod(file, 0o644);
  expect(await store.read()).toEqual(credentials);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test("what a killed writer has left is removed, what one is writing is not", async () => {
  const store = fileStore(file);
  await store.write(credentials);
  const [left, fresh] = [crypto.randomUUID(), crypto.randomUUID()].map((id) => `${file}.${id}.tmp`);
  await writeFile(left ?? "", "tokens");
  await writeFile(fresh ?? "", "tokens");
  await utimes(left ?? "", 0, 0);
  await store.write(credentials);
  expect(await readdir(path.dirname(file))).toEqual(["credentials.json", path.basename(fresh ?? "")]);
});

test("a folder in place of the lock is told at once", async () => {
  await mkdir(`${file}.lock`, { recursive: true });
  const before = performance.now();
  await expect(fileStore(file).lock(async () => {})).rejects.toThrow(".lock is in the way");
  expect(performance.now() - before).toBeLessThan(2_000);
});

test("many writers at once leave the whole of one of them", async () => {
  const written = Array.from({ length: 40 }, (_, index) => ({ ...credentials, accessToken: "a".repeat(index * 1_000) }));
  await Promise.all(written.map((each) => fileStore(file).write(each)));
  expect(written).toContainEqual(JSON.parse(await readFile(file, "utf8")));
});

test("owners of a lock take turns, and one that fails lets the next one in", async () => {
  let inside = 0;
  let most = 0;
  const works = Array.from({ length: 12 }, (_, index) =>
    fileStore(file).lock?.(async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
      if (index % 3 === 0) throw new Error("failed");
      return index;
    }),
  );
  const settled = await Promise.allSettled(works);
  expect(most).toBe(1);
  expect(settled.filter(({ status }) => status === "rejected")).toHaveLength(4);
  expect(await readdir(path.dirname(file))).toEqual([]);
});

test("a lock whose owner was killed is taken over, one whose owner is at work is not", { timeout: 15_000 }, async () => {
  const store = fileStore(file);
  await store.write(credentials);
  await writeFile(`${file}.lock`, "of a process that is gone");
  const order: string[] = [];
  const inside = await store.lock?.(async () => {
    order.push("after the dead one");
    const next = fileStore(file).lock?.(async () => order.push("the next"));
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    order.push("still at work");
    return { next };
  });
  await inside?.next;
  expect(order).toEqual(["after the dead one", "still at work", "the next"]);
});
