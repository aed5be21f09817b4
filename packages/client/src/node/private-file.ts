import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import path from "node:path";

/** Nobody takes so long to write one. */
const leftoverMs = 60_000;

/**
 * Replaces a file in one step, with its folder where there is none: a reader sees the old text or the new one. Only its
 * owner may read it.
 *
 * @example
 * ```ts
 * await writePrivateFile(path.join(configFolder("my-tool"), "settings.json"), JSON.stringify(settings));
 * ```
 */
export async function writePrivateFile(named: string, text: string): Promise<void> {
  await makePrivateFolder(path.dirname(named));
  const file = await followed(named);
  await removeLeftovers(file);
  const beside = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(beside, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** Takes from others what they may do with it. */
export async function readPrivateFile(file: string): Promise<string> {
  const handle = await open(file);
  try {
    // Windows has no such rights, and another owner's file may be read all the same.
    if ((await handle.stat()).mode & 0o077) await handle.chmod(0o600).catch(() => {});
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}

export async function removePrivateFile(file: string): Promise<void> {
  await rm(await followed(file), { force: true });
}

/** What a symbolic link names: it may lead to where somebody keeps all such files. */
async function followed(file: string): Promise<string> {
  return realpath(file).catch((error) => {
    if (codeOf(error) === "ENOENT") return file;
    throw error;
  });
}

/** Of writers that were killed before they had renamed theirs. */
async function removeLeftovers(file: string): Promise<void> {
  const folder = path.dirname(file);
  const begins = `${path.basename(file)}.`;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(begins) || !/^[\da-f-]{36}\.tmp$/.test(name.slice(begins.length))) continue;
    const leftover = path.join(folder, name);
    const written = await stat(leftover).catch(() => null);
    if (written && Date.now() - written.mtimeMs > leftoverMs) await rm(leftover, { force: true });
  }
}

export async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

/** What the system calls the trouble, such as `ENOENT`. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
