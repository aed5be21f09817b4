import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { ConfigError } from "./config.ts";

/** The secret of a local start: made once and kept, so that a restart signs nobody out. */
export async function localSecret(folder: string): Promise<string> {
  const file = path.join(folder, "jwt-secret");
  const kept = await readFile(file, "utf8").catch(() => null);
  if (kept !== null) return checked(kept, file);
  await mkdir(folder, { recursive: true });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await writeFile(draft, randomBytes(48).toString("base64url"), { mode: 0o600 });
  // The first of several processes wins; the link never shows a file that is half written.
  await link(draft, file).catch(() => {});
  await unlink(draft);
  return checked(await readFile(file, "utf8"), file);
}

function checked(secret: string, file: string): string {
  if (Buffer.byteLength(secret) >= 32) return secret;
  throw new ConfigError(`${file} is damaged: restore it, or remove it, which signs everybody out`);
}
