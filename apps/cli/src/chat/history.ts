import { readFile } from "node:fs/promises";
import { writePrivateFile } from "@parley/client/node";
import { historyFile } from "../settings.ts";

/** What was typed before, the last first. */
export async function readHistory(): Promise<string[]> {
  try {
    const lines: unknown = JSON.parse(await readFile(historyFile(), "utf8"));
    return Array.isArray(lines) ? lines.filter((line) => typeof line === "string") : [];
  } catch {
    return [];
  }
}

/** A history that cannot be kept is no reason to end badly. */
export async function keepHistory(lines: string[]): Promise<void> {
  await writePrivateFile(historyFile(), JSON.stringify(lines.slice(0, 500))).catch(() => {});
}
