import { homedir } from "node:os";
import path from "node:path";

/**
 * Where this platform keeps a person's settings of an application: `~/.config`, `~/Library/Application Support`, `%APPDATA%`.
 *
 * @example
 * ```ts
 * const store = fileStore(path.join(configFolder("my-tool"), "credentials.json"));
 * ```
 */
export function configFolder(application: string): string {
  return path.join(parentFolder(), application);
}

function parentFolder(): string {
  const { APPDATA, XDG_CONFIG_HOME } = process.env;
  if (process.platform === "win32") return APPDATA || path.join(homedir(), "AppData", "Roaming");
  if (process.platform === "darwin") return path.join(homedir(), "Library", "Application Support");
  // A relative one is not valid, says the specification.
  return XDG_CONFIG_HOME && path.isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : path.join(homedir(), ".config");
}
