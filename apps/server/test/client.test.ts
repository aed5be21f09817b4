import { createServer } from "node:http";
import {
  AnswerError,
  assemble,
  type Credentials,
  createParley,
  emptyAnswer,
  isParleyError,
  memoryStore,
  type ParleyOptions,
  type TokenStore,
} from "@parley/client";
import { listenLocally, scriptedProvider } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { type TestApp, testApp } from "./kit.ts";
import { places } from "./workerd.ts";

const password = "Correct-horse-1";
const newEmail = () => `client-${crypto.randomUUID()}@example.com`;

/** The network, as a client sees it: what was asked, and what becomes of the answer. */
function network(change: (path: string, answer: Response) => Response | Promise<Response> = (_, answer) => answer) {
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const { pathname } = new URL(String(input));
    const path = pathname.replace("/trpc/", "");
    asked.push(path);
    return change(path, await globalThis.fetch(input, init));
  };
  return { fetch, asked, count: (path: string) => asked.filter((each) => each.split(",").includes(path)).length };
}

describe.each(places.filter((place) => place !== "postgres"))("the client on %s", (database) => {
  let app: TestApp;
  const unpushed = [database === "workerd", "the worker's clock is its own: a test cannot push it forward"] as const;

  beforeAll(async () => {
    app = await testApp({ database });
  });
  afterAll(() => app?.stop());

  const client = (options: Partial<ParleyOptions> = {}) => createParley({ url: app.url, WebSocket, ...options });

  describe("signing in", () => {
    test("keeps the tokens, and signing out ends the session", async () => {
      const store = memoryStore();
      const parley = client({ auth: { store } });
      expect(await parley.auth.isSignedIn()).toBe(false);
      const email = newEmail();
      const registered = await parley.auth.register({ email, password });
      expect(registered?.email).toBe(email);
      expect(await parley.auth.isSignedIn()).toBe(true);
      const { accessToken = "" } = (await store.read()) ?? {};
      await parley.auth.signOut();
      expect(await store.read()).toBeNull();
      const before = createParley({ url: app.url, token: accessToken });
      await expect(before.api.auth.me.query()).rejects.toSatisfy(isParleyError);
      expect((await parley.auth.signIn({ identifier: email, password })).email).toBe(email);
    });

    test("a page that came without encryption has no randomUUID, and does without", async ({ skip }) => {
      skip(database !== "workerd", "the server, which needs it, is in this process");
      vi.spyOn(crypto, "randomUUID").mockImplementation(() => {
        throw new TypeError("crypto.randomUUID is not a function");
      });
      const email = `without-${Date.now()}@example.com`;
      try {
        const parley = client();
        await parley.auth.register({ email, password });
        expect(await parley.chat.ask("Hello").text).not.toBe("");
        await parley.close();
      } finally {
        vi.restoreAllMocks();
      }
    });

    test("a session that has ended is told when a call finds out, also by a listener behind one that throws", async () => {
      const complaints = vi.spyOn(console, "error").mockImplementation(() => {});
      const parley = client();
      const email = newEmail();
      await parley.auth.register({ email, password });
      const told: string[] = [];
      parley.auth.onEnd(() => {
        throw new Error("A listener failed");
      });
      parley.auth.onEnd((reason) => told.push(reason));
      const elsewhere = client();
      await elsewhere.auth.signIn({ identifier: email, password });
      await elsewhere.api.session.endOthers.mutate();
      await expect(parley.api.auth.me.query()).rejects.toMatchObject({ data: { reason: "session_ended" } });
      await vi.waitFor(() => expect(told).toEqual(["session_ended"]));
      expect(await parley.auth.isSignedIn()).toBe(false);
      expect(complaints).toHaveBeenCalledOnce();
      complaints.mockRestore();
    });

    test.each(["localhost:3000", "file:///etc/parley", "javascript:0"])("%s is no address of a server", (url) => {
      expect(() => createParley({ url })).toThrow("http://");
    });

    test("what is no token is told, and not shown", async () => {
      const parley = client({ token: "plk_secret\nx" });
      await expect(parley.api.auth.me.query()).rejects.toThrow(/^This is no token$/);
    });

    test("a client that was given a token signs nobody in", async () => {
      const { fetch, asked } = network();
      const parley = client({ token: "plk_none", fetch });
      await expect(parley.auth.signIn({ identifier: newEmail(), password })).rejects.toThrow("given a token");
      expect(asked).toEqual([]);
    });

    test("an expired token is renewed once, however many calls meet it", async ({ skip }) => {
      skip(...unpushed);
      const { fetch, count } = network();
      const parley = client({ fetch });
      await parley.auth.register({ email: newEmail(), password });
      app.clock.advance({ seconds: 16 * 60 });
      const calls = Array.from({ length: 30 }, () => parley.api.auth.me.query());
      expect(await Promise.all(calls)).toHaveLength(30);
      expect(count("auth.refresh")).toBe(1);
    });

    test("a token is renewed before it expires, once for all owners of a store", async () => {
      const shared = sharedStore();
      const { fetch, count } = network();
      const tabs = Array.from({ length: 5 }, () => client({ fetch, auth: { store: shared } }));
      await tabs[0]?.auth.register({ email: newEmail(), password });
      const known = await shared.read();
      if (!known) throw new Error("Nothing was kept");
      await shared.write({ ...known, expiresAt: Date.now() });
      await Promise.all(tabs.flatMap((tab) => [tab.api.auth.me.query(), tab.api.user.profile.query()]));
      expect(count("auth.refresh")).toBe(1);
    });

    test("who signs in while another owner of the store renews keeps the new session", async () => {
      const shared = sharedStore();
      let renewed = () => {};
      const isRenewing = new Promise<void>((resolve) => {
        renewed = resolve;
      });
      let go = () => {};
      const mayGo = new Promise<void>((resolve) => {
        go = resolve;
      });
      const { fetch } = network(async (path, answer) => {
        if (path === "auth.refresh") {
          renewed();
          await mayGo;
        }
        return answer;
      });
      const before = client({ fetch, auth: { store: shared } });
      await before.auth.register({ email: newEmail(), password });
      const known = await shared.read();
      if (!known) throw new Error("Nothing was kept");
      await shared.write({ ...known, expiresAt: Date.now() });
      const asking = before.api.auth.me.query();
      await isRenewing;
      // A command that signs in anew, whoever was signed in before.
      const other = client({ auth: { store: { ...shared, read: () => null } } });
      const email = newEmail();
      const signingIn = other.auth.register({ email, password });
      const registered = app.client(null);
      // Until the account is there, what is kept of it could not be written anyway.
      await expect.poll(() => registered.auth.login.mutate({ identifier: email, password }).catch(() => null)).not.toBeNull();
      go();
      await Promise.all([asking, signingIn]);
      expect((await client({ auth: { store: shared } }).api.auth.me.query()).user.email).toBe(email);
    });

    test("a refresh whose answer is lost is asked again, and signs nobody out", async ({ skip }) => {
      skip(...unpushed);
      let lost = 0;
      const { fetch, count } = network((path, answer) => {
        if (path !== "auth.refresh" || lost++ > 1) return answer;
        throw new TypeError("The network is gone");
      });
      const parley = client({ fetch });
      await parley.auth.register({ email: newEmail(), password });
      app.clock.advance({ seconds: 16 * 60 });
      const me = () => parley.api.auth.me.query();
      await expect(me()).rejects.toThrow();
      app.clock.advance({ seconds: 60 });
      await expect(me()).rejects.toThrow();
      app.clock.advance({ seconds: 60 });
      expect((await me()).session).not.toBeNull();
      expect(count("auth.refresh")).toBe(3);
    });

    test("a session that was ended elsewhere is told once, and nothing is kept of it", async () => {
      const store = memoryStore();
      const parley = client({ auth: { store } });
      const email = newEmail();
      await parley.auth.register({ email, password });
      const endings: string[] = [];
      const ended = new Promise<void>((resolve) => {
        parley.auth.onEnd((reason) => {
          endings.push(reason);
          resolve();
        });
      });
      const heard: string[] = [];
      const listening = (async () => {
        for await (const { type } of parley.chat.live()) heard.push(type);
      })();
      const other = client();
      await other.auth.signIn({ identifier: email, password });
      await other.api.session.endOthers.mutate();
      await ended;
      await listening.catch(() => {});
      expect(endings).toEqual(["session_ended"]);
      expect(await store.read()).toBeNull();
    });

    test("what one owner of a store does, the others notice: their connections belong to who was there", async () => {
      const store = sharedStore();
      const [tab, other] = [client({ auth: { store } }), client({ auth: { store } })];
      const noticed: string[] = [];
      other.auth.onBegin(() => noticed.push("began"));
      other.auth.onEnd((reason) => noticed.push(reason));
      const email = newEmail();
      await tab.auth.register({ email, password });
      await vi.waitFor(() => expect(noticed).toEqual(["began"]));
      const live = (async () => {
        for await (const _ of other.chat.live());
      })();
      await tab.auth.signOut();
      await live.catch(() => {});
      await vi.waitFor(() => expect(noticed).toHaveLength(2));
      expect(await other.auth.isSignedIn()).toBe(false);
      await tab.auth.register({ email: newEmail(), password });
      await tab.auth.signIn({ identifier: email, password });
      await vi.waitFor(() => expect(noticed.filter((each) => each === "began")).toHaveLength(3));
      expect(noticed).toHaveLength(5);
      expect((await other.api.auth.me.query()).user.email).toBe(email);
      await Promise.all([tab.close(), other.close()]);
    });
  });

  describe("asking", () => {
    test("gives events, text and the whole answer, as often as one likes", async () => {
      const parley = client();
      await parley.auth.register({ email: newEmail(), password });
      const answer = parley.chat.ask("Hello");
      const text = await answer.text;
      expect(text).not.toBe("");
      const once = [];
      for await (const event of answer) once.push(event);
      let again = emptyAnswer;
      for await (const event of answer) again = assemble(again, event);
      expect(again.text).toBe(text);
      expect(again.status).toBe("completed");
      expect(once.at(0)?.type).toBe("run-start");
      expect(once.at(-1)?.type).toBe("run-end");
      const { conversationId, answer: accepted } = await answer.sent;
      const stored = await parley.api.chat.messages.list.query({ conversationId });
      expect(stored.items.find(({ id }) => id === accepted?.messageId)?.content).toBe(text);
      await parley.close();
    });

    test("a question whose acceptance is lost is asked once", async () => {
      let lost = 0;
      const { fetch } = network((path, answer) => {
        if (path !== "chat.send" || lost++ > 0) return answer;
        throw new TypeError("The network is gone");
      });
      const parley = client({ fetch });
      await parley.auth.register({ email: newEmail(), password });
      const answer = parley.chat.ask("Only once");
      await answer.text;
      const { conversationId } = await answer.sent;
      const { items } = await parley.api.chat.messages.list.query({ conversationId });
      expect(items.filter(({ role }) => role === "user")).toHaveLength(1);
      expect((await parley.api.chat.conversations.list.query({})).items).toHaveLength(1);
      await parley.close();
    });

    test("a question that is refused rejects everything that was asked of it", async () => {
      const parley = client();
      await parley.auth.register({ email: newEmail(), password });
      const answer = parley.chat.ask("");
      await expect(answer.sent).rejects.toMatchObject({ data: { reason: "invalid_input" } });
      await expect(answer.text).rejects.toMatchObject({ data: { reason: "invalid_input" } });
      const looped = async () => {
        for await (const _ of answer) expect.unreachable();
      };
      await expect(looped()).rejects.toMatchObject({ data: { reason: "invalid_input" } });
    });

    test("who no longer follows an answer has no text of it, and it is written on", async () => {
      const parley = client();
      await parley.auth.register({ email: newEmail(), password });
      const leaving = new AbortController();
      const answer = parley.chat.ask("Are we there yet? ".repeat(20), { signal: leaving.signal });
      for await (const event of answer) if (event.type === "text-delta") leaving.abort();
      await expect(answer.text).rejects.toThrow("no longer followed");
      expect((await answer.done).status).toBe("running");
      const whole = await parley.chat.ask("And now?", { conversationId: (await answer.sent).conversationId }).text;
      expect(whole).not.toBe("");
      const { items } = await parley.api.chat.messages.list.query({ conversationId: (await answer.sent).conversationId });
      expect(items.map(({ status }) => status)).toEqual(["complete", "complete", "complete", "complete"]);
      await parley.close();
    });

    test("who gives up waiting for a request that hangs is let go", async () => {
      const fetch: typeof globalThis.fetch = (_, init) =>
        new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
      const waiting = new AbortController();
      const sent = createParley({ url: app.url, token: "plk_none", fetch }).chat.send("Hello", { signal: waiting.signal });
      waiting.abort();
      await expect(sent).rejects.toThrow();
    });

    test("what is closed ends what it was doing, and does nothing more", async () => {
      const silent = createServer().on("upgrade", () => {});
      const { url } = await listenLocally(silent);
      const { fetch } = network();
      const elsewhere: typeof globalThis.fetch = (input, init) => fetch(String(input).replace(url, app.url), init);
      const parley = client({ url, fetch: elsewhere, transport: "websocket" });
      await parley.auth.register({ email: newEmail(), password });
      const answer = parley.chat.ask("Hello");
      await answer.sent;
      await parley.close();
      await expect(answer.text).rejects.toThrow("no longer followed");
      await expect(parley.chat.ask("And now?").text).rejects.toThrow("closed");
      silent.close();
      silent.closeAllConnections();
    });

    test("an answer is stopped where it is", async () => {
      const parley = client();
      await parley.auth.register({ email: newEmail(), password });
      const answer = parley.chat.ask("Tell me something long");
      for await (const event of answer) if (event.type === "text-delta") await answer.stop();
      expect((await answer.done).status).toBe("stopped");
      expect(await answer.text).toBe(answer.current.text);
      await parley.close();
    });

    test("where no socket comes through, SSE takes its place", async () => {
      class Blocked extends WebSocket {
        constructor(url: string) {
          super(url.replace(/:\d+/, ":1"));
        }
      }
      const parley = client({ WebSocket: Blocked });
      await parley.auth.register({ email: newEmail(), password });
      expect(await parley.chat.ask("Hello").text).not.toBe("");
      await parley.close();
    });
  });

  test("an event of a newer server changes nothing of an answer", () => {
    expect(assemble(emptyAnswer, { type: "something-new" } as never)).toBe(emptyAnswer);
  });

  test("an answer that fails before its first word has no text, and says why", async () => {
    const { provider, next } = scriptedProvider();
    await using failing = await testApp({ providers: [provider] });
    const parley = createParley({ url: failing.url, WebSocket });
    await parley.auth.register({ email: newEmail(), password });
    const answer = parley.chat.ask("Hello");
    void (async () => {
      for (;;) (await next()).fail(new Error("The vendor is gone"));
    })();
    await expect(answer.text).rejects.toBeInstanceOf(AnswerError);
    expect((await answer.done).status).toBe("failed");
    await parley.close();
  });
});

/** As several tabs have it: one at a time. */
function sharedStore(): TokenStore {
  let kept: Credentials | null = null;
  let last: Promise<unknown> = Promise.resolve();
  const watchers = new Set<() => void>();
  return {
    read: () => kept,
    write(credentials) {
      kept = credentials;
      for (const changed of watchers) changed();
    },
    watch(changed) {
      watchers.add(changed);
      return () => void watchers.delete(changed);
    },
    lock(work) {
      const mine = last.then(work, work);
      last = mine.catch(() => {});
      return mine;
    },
  };
}
