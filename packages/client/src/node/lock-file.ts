import { randomUUID } from "node:crypto";
import { open, readFile, rm, stat, utimes } from "node:fs/promises";
import path from "node:path";
import { codeOf, makePrivateFolder } from "./private-file.ts";

const beatMs = 500;
const staleMs = 3_000;
const lookMs = 20;

/**
 * One process at a time. The owner touches the file while it works; who has seen it untouched for three seconds takes its
 * place. Only the waiting one's own watch decides that: clocks of other machines, and process ids, say nothing reliable.
 */
export async function withLockFile<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  const mark = randomUUID();
  await acquire(file, mark);
  const heart = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {});
  }, beatMs);
  heart.unref();
  try {
    return await work();
  } finally {
    clearInterval(heart);
    await release(file, mark);
  }
}

async function acquire(file: string, mark: string): Promise<void> {
  await makePrivateFolder(path.dirname(file));
  let seen = { beat: "", at: 0 };
  while (!(await create(file, mark))) {
    const beat = await beatOf(file);
    if (beat === null) continue;
    if (seen.beat !== beat) seen = { beat, at: performance.now() };
    // Two may find this at once and then both work. The server answers them alike: the attempt is kept in the store.
    else if (performance.now() - seen.at > staleMs) await rm(file, { force: true });
    await new Promise((resolve) => setTimeout(resolve, lookMs * (0.5 + Math.random())));
  }
}

async function create(file: string, mark: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx", 0o600);
    try {
      await handle.writeFile(mark);
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function beatOf(file: string): Promise<string | null> {
  try {
    const found = await stat(file, { bigint: true });
    if (!found.isFile()) throw new Error(`${file} is in the way: it is no file`);
    const { ino, mtimeNs } = found;
    return `${ino} ${mtimeNs}`;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** Not when another has taken it for stale meanwhile. */
async function release(file: string, mark: string): Promise<void> {
  const found = await readFile(file, "utf8").catch(() => null);
  if (found === mark) await rm(file, { force: true });
}
