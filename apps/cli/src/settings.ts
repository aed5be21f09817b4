import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { configFolder, writePrivateFile } from "@parley/client/node";
import { causeCode, fileTrouble, usage } from "./failure.ts";

const usualUrl = "http://localhost:3000";
const folder = () => process.env.PARLEY_CONFIG_DIR || configFolder("parley");
const settingsFile = () => path.join(folder(), "settings.json");

interface Settings {
  /** Where somebody has signed in last. */
  url?: string;
}

export async function readSettings(): Promise<Settings> {
  try {
    const { url }: { url?: unknown } = Object(JSON.parse(await readFile(settingsFile(), "utf8")));
    return typeof url === "string" ? { url } : {};
  } catch (error) {
    if (causeCode(error) === "ENOENT") return {};
    // Otherwise it would be another server that is asked, or none.
    throw fileTrouble(settingsFile(), error);
  }
}

export const writeSettings = (settings: Settings) => writePrivateFile(settingsFile(), `${JSON.stringify(settings)}\n`);

/** One file a server: a token is never sent to another one than it came from. */
export function credentialsFile(url: string): string {
  const { host } = new URL(url);
  const name = host.replace(/[^\w.-]/g, "_").slice(0, 100);
  return path.join(folder(), "credentials", `${name}-${createHash("sha256").update(url).digest("hex").slice(0, 12)}.json`);
}

export const historyFile = () => path.join(folder(), "history.json");

/** As it is compared and kept: without what an address may carry besides. */
export function serverUrl(given: string = usualUrl): string {
  const text = /^[a-z][a-z\d+.-]*:\/\//i.test(given) ? given : `${isLocal(`http://${given}`) ? "http" : "https"}://${given}`;
  if (!URL.canParse(text)) throw usage(`"${given}" is not the address of a server`);
  const { protocol, origin, pathname } = new URL(text);
  if (protocol !== "http:" && protocol !== "https:") throw usage(`"${given}" is not an http or https address`);
  return `${origin}${pathname.replace(/\/+$/, "")}`;
}

/** Whether what is sent there can be read on the way. */
export function isReadOnTheWay(url: string): boolean {
  return url.startsWith("http:") && !isLocal(url);
}

/** Names that only begin like this machine's are anybody's: `127.example.com`. */
function isLocal(url: string): boolean {
  return URL.canParse(url) && /^((.+\.)?localhost|127(\.\d+){3}|\[::1])$/.test(new URL(url).hostname);
}
