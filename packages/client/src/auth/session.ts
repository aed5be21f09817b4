import { newId } from "../new-id.ts";
import { type EndReason, endingOf } from "./end-reason.ts";
import type { Keeper, RefreshCall, Tokens } from "./identity.ts";
import type { Credentials, TokenStore } from "./token-store.ts";

/** A token is renewed so long before it expires, and given out meanwhile. */
const marginMs = 30_000;
/** So long before, it may no longer be good when it arrives. */
const lastMs = 5_000;

/** Hears of what becomes of the session, here or through another owner of the store. */
export interface SessionWatcher {
  began(): Promise<void>;
  ended(reason: EndReason): Promise<void>;
}

/** The tokens of one person, renewed once however many calls, tabs or processes wait for it. */
export function createSession(store: TokenStore, refresh: RefreshCall, { began, ended }: SessionWatcher): Keeper {
  const locked = <Result>(work: () => Promise<Result>): Promise<Result> => (store.lock ? store.lock(work) : work());
  let renewing: Promise<Credentials | null> | undefined;
  let renewedAt = 0;
  /** The sign-in that was seen last: null for none, undefined before the first look. */
  let seen: string | null | undefined;

  async function see(stored: Credentials | null, reason: EndReason = "signed_out"): Promise<void> {
    const before = seen;
    seen = sessionOf(stored);
    if (before === undefined || before === seen) return;
    if (before !== null) await ended(reason);
    if (stored !== null) await began();
  }

  /** In its turn: whoever renews what there was before must not write over it. */
  async function replace(credentials: Credentials | null, reason?: EndReason, only?: string | null): Promise<void> {
    const before = await locked(async () => {
      const stored = await store.read();
      if (only === undefined || only === sessionOf(stored)) await store.write(credentials);
      return stored;
    });
    await see(before);
    await see(await store.read(), reason);
  }

  const look = async () => see(await store.read());
  const unwatch = store.watch?.(() => void look().catch(() => {}));
  if (unwatch) look().catch(() => {});

  function renew(old: Credentials): Promise<Credentials | null> {
    renewing ??= locked(() => exchange(old)).finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  async function exchange(old: Credentials): Promise<Credentials | null> {
    const stored = await store.read();
    void see(stored);
    // Another tab or process has been here meanwhile. An access token of the same second is the same.
    if (!stored || stored.refreshToken !== old.refreshToken || stored.expiresAt > old.expiresAt) return stored;
    const attemptId = stored.attemptId ?? newId();
    // Kept before it is asked: whoever loses the answer asks the same again, and gets it.
    if (stored.attemptId === undefined) await store.write({ ...stored, attemptId });
    try {
      const { tokens } = await refresh({ refreshToken: stored.refreshToken, attemptId });
      const next = toCredentials(tokens, stored);
      renewedAt = Date.now();
      const now = await store.read();
      // Whoever took so long that its turn was over does not write over what another one has.
      if (now?.refreshToken !== stored.refreshToken) return now;
      await store.write(next);
      return next;
    } catch (error) {
      const ending = endingOf(error);
      if (ending) {
        await store.write(null);
        void see(null, ending);
        return null;
      }
      // The server is not there: what has not expired yet may still do.
      if (old.expiresAt > Date.now()) return old;
      throw error;
    }
  }

  return {
    usesCookies: false,
    async token() {
      const known = await store.read();
      void see(known);
      if (!known) return null;
      const leftMs = known.expiresAt - Date.now();
      const renewed = leftMs < marginMs ? renew(known) : null;
      if (leftMs < lastMs) return (await renewed)?.accessToken ?? null;
      renewed?.catch(() => {});
      return known.accessToken;
    },
    async renew(since) {
      if (renewedAt > since) return true;
      const known = await store.read();
      return known !== null && (await renew(known)) !== null;
    },
    begin: (tokens) => replace(toCredentials(tokens, { refreshToken: "", session: newId() })),
    end: (reason, only) => replace(null, reason, only),
    found() {},
    session: () => seen ?? null,
    async tabs() {
      const session = sessionOf(await store.read());
      return store.tabs !== undefined && session ? `${store.tabs} ${session}` : null;
    },
    close: () => unwatch?.(),
  };
}

const sessionOf = (stored: Credentials | null) => stored && (stored.session ?? "");

function toCredentials(
  { accessToken = "", refreshToken, expiresIn }: Tokens,
  before: Pick<Credentials, "refreshToken" | "session">,
): Credentials {
  const expiresAt = Date.now() + expiresIn * 1_000;
  return { accessToken, refreshToken: refreshToken ?? before.refreshToken, expiresAt, session: before.session };
}
