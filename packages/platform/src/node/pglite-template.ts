import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

const block = 512;

/** Unpacks a data folder. Half of one is never seen: it gets its name when it is complete. */
export async function unpackTemplate(file: string, folder: string): Promise<void> {
  const tar = await promisify(gunzip)(await readFile(file));
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  for (let at = 0; at < tar.length && tar[at] !== 0; ) {
    const { name, size, isFolder } = readHeader(tar.subarray(at, at + block));
    const target = path.join(draft, name);
    await mkdir(isFolder ? target : path.dirname(target), { recursive: true, mode: 0o700 });
    if (!isFolder) await writeFile(target, tar.subarray(at + block, at + block + size), { mode: 0o600 });
    at += block + Math.ceil(size / block) * block;
  }
  await rename(draft, folder);
}

/** The fields of ustar that PGlite writes. */
function readHeader(header: Buffer) {
  const field = (from: number, length: number) =>
    header
      .toString("latin1", from, from + length)
      .split("\0", 1)[0]
      ?.trim() ?? "";
  return {
    name: path.join(field(345, 155), field(0, 100)),
    size: Number.parseInt(field(124, 12) || "0", 8),
    isFolder: field(156, 1) === "5",
  };
}
