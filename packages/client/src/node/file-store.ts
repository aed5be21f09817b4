import { isCredentials, type TokenStore } from "../auth/token-store.ts";
import { withLockFile } from "./lock-file.ts";
import { codeOf, readPrivateFile, removePrivateFile, writePrivateFile } from "./private-file.ts";

/**
 * Keeps credentials in a file that only its owner may read, for all processes that name it: one of them at a time renews
 * what has expired.
 *
 * @example
 * ```ts
 * const store = fileStore(path.join(configFolder("my-tool"), "credentials.json"));
 * const parley = createParley({ url, auth: { store } });
 * ```
 */
export function fileStore(file: string): TokenStore & Required<Pick<TokenStore, "lock">> {
  return {
    async read() {
      try {
        const value: unknown = JSON.parse(await readPrivateFile(file));
        return isCredentials(value) ? value : null;
      } catch (error) {
        // What is not JSON was not written here: signing in replaces it.
        if (error instanceof SyntaxError || codeOf(error) === "ENOENT") return null;
        throw error;
      }
    },
    write: (credentials) => (credentials ? writePrivateFile(file, JSON.stringify(credentials)) : removePrivateFile(file)),
    lock: (work) => withLockFile(`${file}.lock`, work),
  };
}
