import { router } from "@parley/api";
import type { LiveEvent, RunEvent } from "@parley/contract/events";
import { TRPCClientError } from "@trpc/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type Client, type Person, type TestApp, type Transport, testApp } from "./kit.ts";
import { accounts } from "./rows/accounts.ts";
import { alerts } from "./rows/alerts.ts";
import { chat } from "./rows/chat.ts";
import { conversations } from "./rows/conversations.ts";
import { messages } from "./rows/messages.ts";
import { metrics } from "./rows/metrics.ts";
import { models } from "./rows/models.ts";
import { type Ids, missing, nobodys, password, type Row, unique } from "./rows/row.ts";
import { places } from "./workerd.ts";

const transports: Transport[] = ["http", "websocket"];
const combinations = places.flatMap((database) => transports.map((transport) => ({ database, transport })));

/** What a refusal says, without what differs from call to call. */
async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => null,
    (cause: unknown) => cause,
  );
  if (!(error instanceof TRPCClientError)) throw new Error(`Expected a refusal, got ${error}`);
  const { requestId, ...data } = error.data;
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  return { message: error.message, data };
}

/** Every procedure: what it does, what it does not take, and whose ids it does not know. */
const subjects = [accounts, alerts, chat, conversations, messages, metrics, models];
const table: Record<string, Row> = Object.assign({}, ...subjects);
/** Subscriptions have tests of their own below. */
const followed = ["chat.follow", "chat.live"];

test("the table has every procedure of the router, once", () => {
  expect(subjects.flatMap((rows) => Object.keys(rows))).toHaveLength(Object.keys(table).length);
  expect([...Object.keys(table), ...followed].sort()).toEqual(Object.keys(router._def.procedures).sort());
});

/** tRPC keeps the procedures by their whole paths, which its types do not say. */
const typeOf = (name: string): string => Reflect.get(router._def.procedures, name)._def.type;

describe.each(combinations)("on $database over $transport", ({ database, transport }) => {
  let app: TestApp;
  let admin: Person;
  let owner: Person;
  /** Is only ever refused, and so stays as it is. */
  let stranger: Person;
  let ids: Ids;
  const narrowKeys = new Map<string, Promise<string>>();
  beforeAll(async () => {
    app = await testApp({ database });
    admin = await app.person(transport);
    owner = await app.person(transport);
    stranger = await app.person(transport);
    const { conversationId, message, answer } = await owner.api.chat.send.mutate({
      clientMessageId: unique(),
      content: "Hello",
    });
    const { apiKey } = await owner.api.apiKey.create.mutate({ name: "Robot" });
    ids = {
      conversationId,
      messageId: message.id,
      keyId: apiKey.id,
      sessionId: owner.session.id,
      userId: owner.user.id,
      runId: answer?.runId ?? "",
    };
  });
  afterAll(() => app.stop());

  /** With every scope but one. */
  async function makeNarrowKey({ api }: Person, needed: string): Promise<string> {
    const all = ["chat.read", "chat.write", "account.read", "account.write"] as const;
    const { key } = await api.apiKey.create.mutate({ name: "Narrow", scopes: all.filter((scope) => scope !== needed) });
    return key;
  }

  describe.each(Object.entries(table))("%s", (name, row) => {
    test("does its work", async () => {
      const person = row.permission ? admin : await app.person(transport);
      const call = row.call(person.api, person);
      if (row.outcome) expect(await refusal(call)).toMatchObject({ data: { reason: row.outcome } });
      else await call;
    });

    if (!row.isOpen)
      test("is closed to a guest", async () => {
        const refused = await refusal(row.call(app.client(null, transport), admin));
        expect(refused).toMatchObject({ data: { reason: "unauthenticated", httpStatus: 401 } });
      });

    if (!row.isOpen)
      test("does not take a bad token for a guest", async () => {
        expect(await refusal(row.call(app.client("bad", transport), admin))).toMatchObject({
          data: { reason: "unauthenticated" },
        });
      });

    if (!row.isOpen)
      test("is closed to a key without the scope", async () => {
        const subject = /^(chat|model)\./.test(name) ? "chat" : "account";
        const needed = row.permission ?? `${subject}.${typeOf(name) === "query" ? "read" : "write"}`;
        const holder = row.permission ? admin : stranger;
        const made = narrowKeys.get(needed) ?? makeNarrowKey(holder, needed);
        narrowKeys.set(needed, made);
        const key = await made;
        expect(await refusal(row.call(app.client(key, transport), holder))).toMatchObject({
          data: { reason: "forbidden", httpStatus: 403 },
        });
      });

    if (row.permission)
      test("is closed to a user without the permission", async () => {
        const refused = await refusal(row.call(stranger.api, stranger));
        expect(refused).toMatchObject({ data: { reason: "forbidden", httpStatus: 403 } });
      });

    if (row.wrong)
      test("says what is wrong with its input", async () => {
        const { api } = row.permission ? admin : stranger;
        const refused = await refusal(row.wrong?.(api) ?? Promise.resolve());
        const issue = expect.objectContaining({ path: expect.any(String) });
        expect(refused).toMatchObject({
          data: { reason: "invalid_input", httpStatus: 400, issues: expect.arrayContaining([issue]) },
        });
      });

    if (row.foreign)
      test("answers alike for somebody else's id and one that does not exist", async () => {
        const theirs = await refusal(row.foreign?.(stranger.api, ids) ?? Promise.resolve());
        expect(theirs).toEqual(await refusal(row.foreign?.(stranger.api, nobodys) ?? Promise.resolve()));
        expect(theirs).toMatchObject({ data: { reason: "not_found", httpStatus: 404 } });
      });
  });
});

describe.each(combinations)("at once, on $database over $transport", ({ database, transport }) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await testApp({ database });
    await app.person();
  });
  afterAll(() => app.stop());

  test("twenty sign-ins leave five sessions", async () => {
    const { email, user } = await app.person();
    const login = (guest: Client) => guest.auth.login.mutate({ identifier: email, password });
    // A frame of a socket carries twenty calls, and a batch of HTTP as many.
    const guest = app.client(null, transport);
    const opened = await Promise.all(Array.from({ length: 20 }, () => login(guest)));
    const last = await login(guest);
    const sessions = await app.client(last.tokens.accessToken ?? "", transport).session.list.query();
    expect(sessions).toHaveLength(5);
    expect(opened.every((one) => one.user.id === user.id)).toBe(true);
  });

  test("twenty refreshes leave one lineage, and an old token ends it", async () => {
    const { tokens } = await app.person();
    const guest = app.client(null, transport);
    const refresh = (refreshToken: string | undefined) => guest.auth.refresh.mutate({ refreshToken });
    const all = await Promise.all(Array.from({ length: 20 }, () => refresh(tokens.refreshToken)));
    expect(new Set(all.map((one) => one.tokens.refreshToken)).size).toBe(1);
    const next = await refresh(all[0]?.tokens.refreshToken);
    expect(await refusal(refresh(tokens.refreshToken))).toMatchObject({ data: { reason: "token_reused" } });
    expect(await refusal(refresh(next.tokens.refreshToken))).toMatchObject({ data: { reason: "session_ended" } });
  });

  test("a wrong password is the same answer for a known, an unknown and a locked account", async () => {
    const known = await app.person();
    const locked = await app.person();
    const guest = app.client(null, transport);
    const wrong = (identifier: string) => refusal(guest.auth.login.mutate({ identifier, password: "wrong" }));
    await Promise.all(Array.from({ length: 10 }, () => wrong(locked.email)));
    const answer = await wrong(known.email);
    expect(answer).toMatchObject({ data: { reason: "invalid_credentials" } });
    expect(await wrong("nobody@example.com")).toEqual(answer);
    expect(await wrong(locked.email)).toEqual(answer);
    const reset = (email: string) => guest.auth.requestPasswordReset.mutate({ email });
    expect(await reset("nobody@example.com")).toEqual(await reset(known.email));
  });

  test("a revoked key is refused at once", async () => {
    const { api } = await app.person();
    const { key, apiKey } = await api.apiKey.create.mutate({ name: "Robot" });
    const robot = app.client(key);
    expect((await robot.auth.me.query()).session).toBeNull();
    await api.apiKey.revoke.mutate({ id: apiKey.id });
    expect(await refusal(robot.auth.me.query())).toMatchObject({ data: { reason: "unauthenticated" } });
  });
});

describe.each(places)("an ended session on %s", (database) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await testApp({ database });
  });
  afterAll(() => app.stop());

  test("closes its sockets with 4401, ends its streams and is refused everywhere; other sessions go on", async () => {
    const person = await app.person();
    const second = await app.client(null).auth.login.mutate({ identifier: person.email, password });
    const open = (token: string) =>
      new Promise<{ socket: WebSocket; closed: Promise<number> }>((resolve) => {
        const socket = new WebSocket(`${app.socketUrl}?connectionParams=1`);
        const closed = new Promise<number>((close) => socket.once("close", close));
        socket.once("open", () => {
          socket.send(JSON.stringify({ method: "connectionParams", data: { token } }));
          socket.send(JSON.stringify({ id: 1, method: "subscription", params: { path: "chat.live", input: { json: {} } } }));
        });
        socket.once("message", () => resolve({ socket, closed }));
      });
    const mine = await open(person.token);
    const theirs = await open(second.tokens.accessToken ?? "");
    const input = encodeURIComponent(JSON.stringify({ json: {} }));
    const stream = await fetch(`${app.url}/trpc/chat.live?input=${input}`, {
      headers: { authorization: `Bearer ${person.token}` },
    });
    await person.api.auth.logout.mutate();
    expect(await mine.closed).toBe(4401);
    expect(await stream.text()).toContain("connected");
    expect(await refusal(person.api.auth.me.query())).toMatchObject({ data: { reason: "session_ended" } });
    expect(theirs.socket.readyState).toBe(WebSocket.OPEN);
    theirs.socket.terminate();
  });

  test("by a suspension closes every socket of the account with 4403, and the account cannot come back", async () => {
    const manager = await founder(app);
    const person = await app.person("websocket");
    const closed = new Promise<number>((resolve) => {
      const socket = new WebSocket(`${app.socketUrl}?connectionParams=1`);
      socket.once("open", () => socket.send(JSON.stringify({ method: "connectionParams", data: { token: person.token } })));
      socket.once("open", () => socket.send(JSON.stringify({ id: 1, method: "query", params: { path: "auth.me" } })));
      socket.once("message", () => void manager.admin.users.suspend.mutate({ id: person.user.id }));
      socket.once("close", resolve);
    });
    expect(await closed).toBe(4403);
    expect(await refusal(app.client(person.token).auth.me.query())).toMatchObject({ data: { reason: "account_disabled" } });
    const login = app.client(null).auth.login.mutate({ identifier: person.email, password });
    expect(await refusal(login)).toMatchObject({ data: { reason: "account_disabled" } });
  });

  /** The first account of this app was made by the test before. */
  async function founder(of: TestApp): Promise<Client> {
    const { email } = of.first;
    const { tokens } = await of.client(null).auth.login.mutate({ identifier: email, password });
    return of.client(tokens.accessToken ?? "");
  }
});

describe("cookies", () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await testApp();
  });
  afterAll(() => app.stop());

  const post = (path: string, input: object, headers: Record<string, string> = {}) =>
    fetch(`${app.url}/trpc/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: app.url, "x-parley": "1", ...headers },
      body: JSON.stringify({ json: input }),
    });
  const jarOf = (response: Response) =>
    response.headers
      .getSetCookie()
      .map((line) => line.split(";")[0])
      .join("; ");

  test("carry both tokens, out of reach of scripts, and logout takes them away", async () => {
    const { email } = await app.person();
    const login = await post("auth.login", { identifier: email, password, cookie: true });
    const lines = login.headers.getSetCookie();
    expect(lines).toHaveLength(2);
    for (const line of lines)
      expect(line).toMatch(/^parley_(access|refresh)=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
    const { tokens } = (await login.json()).result.data.json;
    expect(tokens).toEqual({ expiresIn: 900, tokenType: "Bearer" });

    const cookie = jarOf(login);
    const me = (headers: Record<string, string>) => fetch(`${app.url}/trpc/auth.me`, { headers: { cookie, ...headers } });
    expect((await me({ origin: app.url, "x-parley": "1" })).status).toBe(200);
    expect((await me({ origin: app.url })).status).toBe(401);
    expect((await me({ origin: "https://evil.example", "x-parley": "1" })).status).toBe(403);

    const refreshed = await post("auth.refresh", {}, { cookie });
    expect(refreshed.status).toBe(200);
    expect(jarOf(refreshed)).not.toBe(cookie);
    const logout = await post("auth.logout", {}, { cookie: jarOf(refreshed) });
    expect(logout.headers.getSetCookie().every((line) => line.includes("Max-Age=0"))).toBe(true);
    expect((await me({ origin: app.url, "x-parley": "1" })).status).toBe(401);
  });

  test("cannot be asked for over a socket", async () => {
    const { email } = await app.person();
    const login = app.client(null, "websocket").auth.login.mutate({ identifier: email, password, cookie: true });
    expect(await refusal(login)).toMatchObject({ data: { reason: "invalid_input" } });
  });
});

test("answers say what is left of the general limit", async () => {
  await using app = await testApp({ env: { RATE_LIMIT_GENERAL_GUEST: "5/1m" } });
  const response = await fetch(`${app.url}/trpc/model.list`);
  expect(response.headers.get("ratelimit-limit")).toBe("5");
  expect(response.headers.get("ratelimit-remaining")).toBe("4");
  expect(Number(response.headers.get("ratelimit-reset"))).toBeGreaterThan(50);
});

function follow(api: Client, runId: string, lastEventId?: string) {
  return new Promise<{ events: RunEvent[]; ids: string[] }>((resolve, reject) => {
    const events: RunEvent[] = [];
    const ids: string[] = [];
    api.chat.follow.subscribe(
      { runId, lastEventId },
      {
        onData({ id, data }) {
          ids.push(id);
          events.push(data);
        },
        onComplete: () => resolve({ events, ids }),
        onError: reject,
      },
    );
  });
}

describe.each(places)("following on %s", (database) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await testApp({ database });
  });
  afterAll(() => app.stop());

  test("a run is followed over a socket to its end, and read again from the list", async () => {
    const { api } = await app.person("websocket");
    const sent = await api.chat.send.mutate({ clientMessageId: "1", content: "Hello" });
    const runId = sent.answer?.runId ?? "";
    const { events, ids } = await follow(api, runId);
    const text = events.map((event) => (event.type === "text-delta" ? event.text : "")).join("");
    expect(text).toContain("This is Parley's demonstration");
    expect(events.at(-1)).toMatchObject({ type: "run-end", status: "completed", length: text.length });
    const { items } = await api.chat.messages.list.query({ conversationId: sent.conversationId });
    expect(items.at(-1)?.content).toBe(text);

    const middle = Math.floor(ids.length / 2);
    const rest = await follow(api, runId, ids[middle]);
    const resumed = events.slice(0, middle + 1).concat(rest.events);
    expect(resumed.map((event) => (event.type === "text-delta" ? event.text : "")).join("")).toBe(text);
  });

  test("a run is followed as server-sent events, with the same ids", async () => {
    const { api, token } = await app.person();
    const sent = await api.chat.send.mutate({ clientMessageId: "1", content: "Hello" });
    const input = encodeURIComponent(JSON.stringify({ json: { runId: sent.answer?.runId } }));
    const response = await fetch(`${app.url}/trpc/chat.follow?input=${input}`, { headers: { authorization: `Bearer ${token}` } });
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const page = await response.text();
    expect(page).toContain('"type":"run-start"');
    expect(page).toContain('"type":"run-end","status":"completed"');
    expect(page).toMatch(/id: 1-0-0/);
  });

  test("a guest, a stranger and a wrong position are refused", async () => {
    const owner = await app.person("websocket");
    const stranger = await app.person("websocket");
    const sent = await owner.api.chat.send.mutate({ clientMessageId: "1", content: "Hello" });
    const runId = sent.answer?.runId ?? "";
    expect(await refusal(follow(app.client(null, "websocket"), runId))).toMatchObject({ data: { reason: "unauthenticated" } });
    expect(await refusal(follow(stranger.api, runId))).toEqual(await refusal(follow(stranger.api, missing)));
    expect(await refusal(follow(owner.api, runId, "nonsense"))).toMatchObject({ data: { reason: "invalid_input" } });
    expect(await refusal(follow(owner.api, "nonsense"))).toMatchObject({ data: { reason: "invalid_input" } });
  });

  test("live tells a second device what the first one does", async () => {
    const { api, token } = await app.person("websocket");
    const other = app.client(token, "websocket");
    const seen: string[] = [];
    const started = new Promise<void>((resolve) => {
      const onData = ({ data }: { data: LiveEvent }) => void (data.type !== "typing" && seen.push(data.type));
      other.chat.live.subscribe({}, { onStarted: () => resolve(), onData });
    });
    await started;
    await api.chat.send.mutate({ clientMessageId: "1", content: "Hello" });
    await expect
      .poll(() => seen, { timeout: 10_000 })
      .toEqual(["conversation-created", "message-created", "message-created", "run-started", "message-updated", "run-ended"]);
  });
});

describe("limits", () => {
  test("sign-in counts failures only, and says when to come back", async () => {
    await using app = await testApp({ env: { RATE_LIMIT_SIGN_IN: "3/15m" } });
    const { email, password } = await app.person();
    const login = (secret: string) => app.client(null).auth.login.mutate({ identifier: email, password: secret });
    for (let count = 0; count < 5; count++) await login(password);
    for (let count = 0; count < 3; count++)
      expect(await refusal(login("wrong"))).toMatchObject({ data: { reason: "invalid_credentials" } });
    const refused = await refusal(login(password));
    expect(refused).toMatchObject({ data: { reason: "rate_limited", httpStatus: 429, retryAfterMs: expect.any(Number) } });
  });

  test("messages and calls count by account, calls of guests by address, and each call of a batch counts", async () => {
    await using app = await testApp({
      env: { RATE_LIMIT_CHAT: "2/1m", RATE_LIMIT_GENERAL: "12/1m", RATE_LIMIT_GENERAL_GUEST: "6/1m" },
    });
    const first = await app.person();
    const second = await app.person();
    const send = (api: Client, id: string) => api.chat.send.mutate({ clientMessageId: id, content: "Hello", answer: false });
    await send(first.api, "1");
    await send(first.api, "2");
    expect(await refusal(send(first.api, "3"))).toMatchObject({ data: { reason: "rate_limited" } });
    await send(second.api, "1");
    const calls = await Promise.allSettled(Array.from({ length: 20 }, () => second.api.auth.me.query()));
    expect(calls.filter(({ status }) => status === "fulfilled")).toHaveLength(11);
    const guests = await Promise.allSettled(Array.from({ length: 8 }, () => app.client(null).model.list.query()));
    expect(guests.filter(({ status }) => status === "fulfilled")).toHaveLength(4);
  });

  test("presence and typing have calls of their own, and those of guests count as all of theirs do", async () => {
    await using app = await testApp({
      env: { RATE_LIMIT_GENERAL: "3/1m", RATE_LIMIT_GENERAL_GUEST: "8/1m", RATE_LIMIT_PRESENCE: "4/1m" },
    });
    const { api } = await app.person();
    const { conversationId } = await api.chat.send.mutate({ clientMessageId: "1", content: "Hello", answer: false });
    await api.chat.enter.mutate({ conversationId });
    for (const typing of [true, false]) await api.chat.typing.mutate({ conversationId, typing });
    await api.chat.exit.mutate({ conversationId });
    expect(await refusal(api.chat.enter.mutate({ conversationId }))).toMatchObject({ data: { reason: "rate_limited" } });
    await api.auth.me.query();
    await api.auth.me.query();
    expect(await refusal(api.auth.me.query())).toMatchObject({ data: { reason: "rate_limited" } });
    const guest = app.client(null);
    const calls = await Promise.all(Array.from({ length: 8 }, () => refusal(guest.chat.enter.mutate({ conversationId }))));
    expect(new Set(calls.map(({ data }) => data.reason))).toEqual(new Set(["unauthenticated", "rate_limited"]));
  });
});
