import { link, open, readFile, rename, stat, unlink, utimes } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const heartbeatMs = 2_000;
const staleMs = 10_000;
/** A process that was killed a moment ago may still be on its way out. */
const patienceMs = 3_000;
const lookAgainMs = 100;

export class FolderInUseError extends Error {
  constructor(folder: string, owner: string) {
    super(`${folder} is in use by another Parley (${owner}): stop it, or set DATA_DIR or DATABASE_URL to something else`);
  }
}

/**
 * One process a folder. A lock whose process died is taken over: at once on the same machine, otherwise when its
 * heartbeat has been silent for a while.
 */
export async function lockFolder(folder: string): Promise<{ release(): Promise<void> }> {
  const file = path.join(folder, "lock");
  const own = JSON.stringify({ pid: process.pid, host: os.hostname(), at: Date.now(), born: await birthOf(process.pid) });
  const giveUpAt = Date.now() + patienceMs;
  while (!(await create(file, own))) {
    const found = await readFile(file, "utf8").catch(() => null);
    if (found !== null && (await isAbandoned(file, found))) await takeAway(file, found);
    else if (Date.now() > giveUpAt) throw new FolderInUseError(folder, describe(found ?? ""));
    else await sleep(lookAgainMs);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {});
  }, heartbeatMs);
  heartbeat.unref();
  return {
    async release() {
      clearInterval(heartbeat);
      if ((await readFile(file, "utf8").catch(() => null)) === own) await unlink(file).catch(() => {});
    },
  };
}

async function create(file: string, content: string): Promise<boolean> {
  const draft = `${file}.${process.pid}`;
  const handle = await open(draft, "w");
  await handle.writeFile(content);
  await handle.close();
  try {
    // A link appears whole or not at all: nobody reads a lock that is half written.
    await link(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

async function isAbandoned(file: string, found: string): Promise<boolean> {
  const owner = parse(found);
  if (owner?.host === os.hostname()) {
    const bootedAt = Date.now() - os.uptime() * 1_000;
    if (owner.pid === process.pid || owner.at < bootedAt || !isRunning(owner.pid)) return true;
    return owner.born !== (await birthOf(owner.pid));
  }
  const touched = await stat(file).catch(() => null);
  return !touched || Date.now() - touched.mtimeMs > staleMs;
}

/** Only the lock that was judged: another process may have taken over in between. */
async function takeAway(file: string, judged: string) {
  const aside = `${file}.${process.pid}.old`;
  if (
    !(await rename(file, aside).then(
      () => true,
      () => false,
    ))
  )
    return;
  if ((await readFile(aside, "utf8")) !== judged) await link(aside, file).catch(() => {});
  await unlink(aside);
}

/** When a process was started, where the system tells: its number may belong to another by now. */
async function birthOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  return stat?.slice(stat.lastIndexOf(")")).split(" ")[20] ?? null;
}

function parse(content: string): { pid: number; host: string; at: number; born: string | null } | null {
  try {
    const { pid, host, at, born = null } = JSON.parse(content);
    return typeof pid === "number" && typeof host === "string" && typeof at === "number" ? { pid, host, at, born } : null;
  } catch {
    return null;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function describe(content: string): string {
  const owner = parse(content);
  return owner ? `process ${owner.pid} on ${owner.host}` : "unknown";
}
