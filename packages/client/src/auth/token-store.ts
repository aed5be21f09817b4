import { takeTurns } from "./take-turns.ts";

/**
 * What a signed-in client has to keep.
 *
 * @example
 * ```ts
 * const nobody: Credentials | null = null;
 * ```
 */
export interface Credentials {
  accessToken: string;
  refreshToken: string;
  /** Milliseconds since 1970, by this machine's clock. */
  expiresAt: number;
  /** Of a refresh that is under way, or was when the process ended: asked again, the server answers as it did. */
  attemptId?: string;
  /** Another one after every sign-in. */
  session?: string | undefined;
}

/**
 * Where credentials are kept. `lock` lets one of several owners of the same store work at a time: tabs, processes.
 *
 * @example
 * ```ts
 * const store: TokenStore = {
 *   read: async () => JSON.parse((await secrets.get("parley")) ?? "null"),
 *   write: (credentials) => secrets.set("parley", JSON.stringify(credentials)),
 * };
 * ```
 */
export interface TokenStore {
  read(): Credentials | null | Promise<Credentials | null>;
  write(credentials: Credentials | null): void | Promise<void>;
  lock?<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Calls back when another owner has written: so a tab hears that another one has signed out. */
  watch?(changed: () => void): () => void;
  /** The name of the store for all tabs of an origin that share it. With it, one of them follows live events for all. */
  readonly tabs?: string;
}

/**
 * Keeps them for as long as the page or the process lives.
 *
 * @example
 * ```ts
 * const parley = createParley({ url, auth: { store: memoryStore() } });
 * ```
 */
export function memoryStore(): TokenStore {
  let kept: Credentials | null = null;
  return {
    read: () => kept,
    write(credentials) {
      kept = credentials;
    },
  };
}

/**
 * Keeps them in the browser's `localStorage`, for all tabs of an origin. Whatever runs in the page can read them there: with
 * a server on the same site, prefer `auth: { cookie: true }`.
 *
 * @example
 * ```ts
 * const parley = createParley({ url, auth: { store: localStorageStore() } });
 * ```
 */
export function localStorageStore(key = "parley"): TokenStore {
  return {
    // A server that renders the page beforehand has none, and nobody is signed in there.
    read: () => (typeof localStorage === "object" ? parse(localStorage.getItem(key)) : null),
    write(credentials) {
      if (credentials) localStorage.setItem(key, JSON.stringify(credentials));
      else localStorage.removeItem(key);
    },
    lock: (work) => takeTurns(`parley ${key}`, work),
    tabs: key,
    watch(changed) {
      const listen = (event: StorageEvent) => {
        if (event.key === key || event.key === null) changed();
      };
      globalThis.addEventListener?.("storage", listen);
      return () => globalThis.removeEventListener?.("storage", listen);
    },
  };
}

function parse(text: string | null): Credentials | null {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    return isCredentials(value) ? value : null;
  } catch {
    return null;
  }
}

export function isCredentials(value: unknown): value is Credentials {
  const { accessToken, refreshToken, expiresAt }: Partial<Record<keyof Credentials, unknown>> = Object(value);
  return typeof accessToken === "string" && typeof refreshToken === "string" && typeof expiresAt === "number";
}
