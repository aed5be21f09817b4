import { type Credentials, createParley, memoryStore, type Parley, type ParleyAuth } from "@parley/client";
import { credentialsStore } from "./credentials-store.ts";
import { notParley, notReached, usage } from "./failure.ts";
import { note } from "./output/say.ts";
import { writeSettings } from "./settings.ts";

const patienceMs = 5 * 60_000;
/** For what answers in its place, such as a proxy. */
const strangerMs = 60_000;

/**
 * SSE and no socket: a command follows one thing at a time, it needs no WebSocket class on Node 20, and `fetch` below sees all
 * that goes over the wire. A server that was never there is told at once; one that was is waited for.
 */
export function connect(url: string): { parley: Parley; lost: AbortSignal } {
  const gone = new AbortController();
  let wasThere = false;
  let awaySince: number | null = null;

  const fetch: typeof globalThis.fetch = async (input, init) => {
    try {
      const response = await globalThis.fetch(input, init);
      if (isParleys(response)) {
        wasThere = true;
        awaySince = null;
        return response;
      }
      if (awaySince === null) note(`${url} does not answer: trying again, Ctrl-C to leave …`);
      awaySince ??= Date.now();
      if (Date.now() - awaySince > strangerMs) gone.abort(notParley(url));
      return response;
    } catch (error) {
      if (init?.signal?.aborted) throw error;
      if (wasThere && awaySince === null) note("The connection is lost: trying again …");
      awaySince ??= Date.now();
      if (!wasThere || Date.now() - awaySince > patienceMs) gone.abort(notReached(url, error));
      throw error;
    }
  };

  return { parley: createParley({ url, fetch, transport: "sse", ...caller(url, gone) }), lost: gone.signal };
}

function isParleys({ headers }: Response): boolean {
  return /json|event-stream/.test(headers.get("content-type") ?? "");
}

function caller(url: string, gone: AbortController) {
  const { PARLEY_TOKEN: token } = process.env;
  if (!token) return { auth: { store: credentialsStore(url, (trouble) => gone.abort(trouble)) } };
  if (/[^!-~]/.test(token)) throw usage("PARLEY_TOKEN is no key: it has a space, a line end or another character that none has");
  return { token };
}

/** With nobody's credentials, also where there are some. What is got is kept for the next command. */
export async function signInAnew<User>(url: string, signIn: (auth: ParleyAuth) => Promise<User>): Promise<User> {
  const store = credentialsStore(url);
  // What cannot be kept is told before the server makes a session of it.
  const before = await store.lock(async () => store.read());
  const user = await signIn(createParley({ url, transport: "sse", auth: { store: { ...store, read: () => null } } }).auth);
  await writeSettings({ url });
  // An account that has to be verified first has no session that could replace another.
  if (before && user) await endReplaced(url, before);
  return user;
}

/** It would take the place of a device until it expires. */
async function endReplaced(url: string, credentials: Credentials): Promise<void> {
  const store = memoryStore();
  await store.write(credentials);
  await createParley({ url, transport: "sse", auth: { store } })
    .auth.signOut()
    .catch(() => {});
}
