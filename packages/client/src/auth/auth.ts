import { isParleyError } from "../errors.ts";
import type { ParleyApi } from "../parley.ts";
import type { ParleyInputs, ParleyOutputs } from "../shapes.ts";
import type { EndReason } from "./end-reason.ts";
import type { Identity } from "./identity.ts";

type SignedIn = ParleyOutputs["auth"]["login"];

/**
 * Signing in and out. What is kept of it is renewed by itself: once, however many calls, tabs or processes wait for it.
 *
 * @example
 * ```ts
 * const parley = createParley({ url, auth: { store: localStorageStore() } });
 * await parley.auth.signIn({ identifier: "ada@example.com", password });
 * parley.auth.onEnd((reason) => showSignIn(reason));
 * ```
 */
export interface ParleyAuth {
  /** Somebody is signed in, as far as this client knows. Rejects where only the server knows, and is not reached. */
  isSignedIn(): Promise<boolean>;
  signIn(input: Omit<ParleyInputs["auth"]["login"], "cookie">): Promise<SignedIn["user"]>;
  /** Null where the address has to be verified first: a letter is on its way. */
  register(input: Omit<ParleyInputs["auth"]["register"], "cookie">): Promise<SignedIn["user"] | null>;
  /** Ends the session on the server too. */
  signOut(): Promise<void>;
  /** Called when somebody has signed in, here or in another tab. */
  onBegin(listener: () => void): () => void;
  /** Called when the session has ended: signed out here or in another tab, ended elsewhere, expired, suspended. */
  onEnd(listener: (reason: EndReason) => void): () => void;
}

export function createAuth(api: ParleyApi, identity: Identity): ParleyAuth {
  const cookie = identity.usesCookies;

  /** Before the server is asked: what nobody keeps would be a session that nobody ends. */
  function keeper() {
    if (!identity.begin) throw new Error("A client that was given a token signs nobody in");
    return identity.begin;
  }

  return {
    isSignedIn: async () => (await identity.token()) !== null || (cookie && (await hasSession(api, identity))),
    async signIn(input) {
      const begin = keeper();
      const { user, tokens } = await api.auth.login.mutate({ ...input, cookie });
      await begin(tokens);
      return user;
    },
    async register(input) {
      const begin = keeper();
      const registered = await api.auth.register.mutate({ ...input, cookie });
      if ("next" in registered) return null;
      await begin(registered.tokens);
      return registered.user;
    },
    async signOut() {
      try {
        await api.auth.logout.mutate();
      } catch (error) {
        // It has ended already.
        if (!isUnauthorized(error)) throw error;
      } finally {
        await identity.end("signed_out");
      }
    },
    onBegin: identity.onBegin,
    onEnd: identity.onEnd,
  };
}

async function hasSession(api: ParleyApi, { found }: Identity): Promise<boolean> {
  try {
    await api.auth.me.query();
    found();
    return true;
  } catch (error) {
    if (isUnauthorized(error)) return false;
    throw error;
  }
}

const isUnauthorized = (error: unknown) => isParleyError(error) && error.data.code === "UNAUTHORIZED";
