import { newId } from "../new-id.ts";
import type { AuthOptions, ParleyToken } from "../options.ts";
import type { ParleyOutputs } from "../shapes.ts";
import { type EndReason, endingOf } from "./end-reason.ts";
import { createSession, type SessionWatcher } from "./session.ts";
import { takeTurns } from "./take-turns.ts";
import { memoryStore } from "./token-store.ts";

export type Tokens = ParleyOutputs["auth"]["refresh"]["tokens"];

/** Who is calling, and how that is kept up. */
export interface Identity extends Listening {
  readonly usesCookies: boolean;
  /** For the next request or connection: null for a guest, and where cookies say it. */
  token(): Promise<string | null>;
  /**
   * The server says that the token of a call has expired, which was made at this time. False where nothing can be done about
   * it.
   */
  renew(since: number): Promise<boolean>;
  /** The server knows who is calling. */
  found(): void;
  /** What the tabs that this session is shared with call it; null where it is this client's alone. */
  tabs(): Promise<string | null>;
  /** Which sign-in the last token was of, to be named when that has ended. */
  session(): string | null;
  /** Null where the caller looks after the token, and nobody signs in. */
  readonly begin: ((tokens: Tokens) => Promise<void>) | null;
  /** Of this session alone, if it is named: another tab may have signed in since. */
  end(reason: EndReason, session?: string | null): Promise<void>;
  close(): void;
}

interface Listening {
  /** Done before anybody is told: a connection belongs to the account that it was opened for. */
  beforeTelling(work: () => Promise<void>): void;
  onBegin(listener: () => void): () => void;
  onEnd(listener: (reason: EndReason) => void): () => void;
}

/** Asks the server for new tokens, without this client's own credentials. */
export type RefreshCall = (input: { refreshToken?: string; attemptId: string }) => Promise<{ tokens: Tokens }>;

export function createIdentity(
  given: { token?: ParleyToken | undefined; auth?: AuthOptions | undefined },
  refresh: RefreshCall,
): Identity {
  const { listening, watcher } = createListening();
  const { token, auth } = given;
  const keeper =
    token !== undefined
      ? fixedIdentity(token, watcher)
      : auth?.cookie
        ? cookieIdentity(refresh, watcher)
        : createSession(auth?.store ?? memoryStore(), refresh, watcher);
  return { ...keeper, ...listening };
}

function createListening(): { listening: Listening; watcher: SessionWatcher } {
  const beginnings = new Set<() => void>();
  const endings = new Set<(reason: EndReason) => void>();
  let prepare = async () => {};
  return {
    listening: {
      beforeTelling(work) {
        prepare = work;
      },
      onBegin: (listener) => added(beginnings, listener),
      onEnd: (listener) => added(endings, listener),
    },
    watcher: {
      async began() {
        await prepare();
        tellAll(beginnings, (listener) => listener());
      },
      async ended(reason) {
        await prepare();
        tellAll(endings, (listener) => listener(reason));
      },
    },
  };
}

/** One that throws takes nothing from the others, or from us. */
function tellAll<Listener>(listeners: Set<Listener>, tell: (listener: Listener) => void) {
  for (const listener of [...listeners]) {
    try {
      tell(listener);
    } catch (error) {
      console.error(error);
    }
  }
}

function added<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export type Keeper = Omit<Identity, keyof Listening>;

/** The caller looks after the token. */
function fixedIdentity(token: ParleyToken, { ended }: SessionWatcher): Keeper {
  let isOver = false;
  return {
    usesCookies: false,
    token: async () => (typeof token === "function" ? await token() : token) ?? null,
    renew: async () => false,
    found() {},
    tabs: async () => null,
    session: () => null,
    begin: null,
    async end(reason) {
      if (isOver) return;
      isOver = true;
      await ended(reason);
    },
    close() {},
  };
}

const lockName = "parley refresh";
const channelName = "parley session";

/** The browser keeps both tokens, and scripts see neither. Tabs take turns, and the server gives those that wait the same. */
function cookieIdentity(refresh: RefreshCall, { began, ended }: SessionWatcher): Keeper {
  let renewing: Promise<boolean> | undefined;
  /** Undefined while only the server knows. */
  let isIn: boolean | undefined;
  let renewedAt = 0;
  let otherTabs = globalThis.document && globalThis.BroadcastChannel ? new BroadcastChannel(channelName) : null;

  async function begin() {
    if (isIn) await ended("signed_out");
    isIn = true;
    await began();
  }

  async function end(reason: EndReason) {
    if (isIn === false) return;
    isIn = false;
    await ended(reason);
  }

  if (otherTabs) {
    otherTabs.onmessage = async ({ data }: MessageEvent<EndReason | "signed_in">) => {
      if (data !== "signed_in") return end(data);
      await end("signed_out");
      await begin();
    };
  }

  async function exchange(): Promise<boolean> {
    try {
      await refresh({ attemptId: newId() });
      isIn = true;
      renewedAt = Date.now();
      return true;
    } catch (error) {
      const ending = endingOf(error);
      if (!ending) throw error;
      // Whoever has no cookie was nobody before.
      if (ending !== "unauthenticated") await end(ending);
      return false;
    }
  }

  return {
    usesCookies: true,
    token: async () => null,
    async renew(since) {
      if (renewedAt > since) return true;
      if (isIn === false) return false;
      renewing ??= takeTurns(lockName, exchange).finally(() => {
        renewing = undefined;
      });
      return renewing;
    },
    found() {
      isIn = true;
    },
    tabs: async () => (isIn === false ? null : "cookie"),
    session: () => null,
    async begin() {
      otherTabs?.postMessage("signed_in");
      await begin();
    },
    async end(reason) {
      otherTabs?.postMessage(reason);
      await end(reason);
    },
    close() {
      otherTabs?.close();
      otherTabs = null;
    },
  };
}
