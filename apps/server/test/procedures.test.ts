import { router } from "@parley/api";
import type { RunEvent } from "@parley/contract/events";
import { databaseKinds } from "@parley/testing";
import { TRPCClientError } from "@trpc/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type Client, type Person, type TestApp, type Transport, testApp } from "./kit.ts";

const transports: Transport[] = ["http", "websocket"];
const combinations = databaseKinds.flatMap((database) => transports.map((transport) => ({ database, transport })));

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

interface Ids {
  conversationId: string;
  sessionId: string;
  keyId: string;
  userId: string;
  runId: string;
}

interface Row {
  /** Guests may call it. */
  isOpen?: boolean;
  permission?: string;
  /** What its work comes to for ids and links that are made up here. */
  outcome?: "not_found";
  call: (api: Client, person: Person) => Promise<unknown>;
  wrong?: (api: Client) => Promise<unknown>;
  foreign?: (api: Client, ids: Ids) => Promise<unknown>;
}

const missing = "01a1fd8a-0000-7000-8000-000000000000";
const nobodys: Ids = { conversationId: missing, sessionId: missing, keyId: missing, userId: missing, runId: missing };
const password = "Correct-horse-1";
const unique = () => Math.random().toString(36).slice(2);

/** Every procedure: what it does, what it does not take, and whose ids it does not know. */
const table: Record<string, Row> = {
  "admin.audit.list": {
    permission: "users.manage",
    call: (api) => api.admin.audit.list.query({}),
    wrong: (api) => api.admin.audit.list.query({ limit: 0 }),
  },
  "admin.invites.create": {
    permission: "users.manage",
    call: (api) => api.admin.invites.create.mutate(),
    wrong: (api) => api.admin.invites.create.mutate({ email: "no" }),
  },
  "admin.users.list": {
    permission: "users.manage",
    call: (api) => api.admin.users.list.query({}),
    wrong: (api) => api.admin.users.list.query({ limit: 0 }),
  },
  "admin.users.restore": {
    outcome: "not_found",
    permission: "users.manage",
    call: (api) => api.admin.users.restore.mutate({ id: missing }),
    wrong: (api) => api.admin.users.restore.mutate({ id: "no" }),
  },
  "admin.users.setPlan": {
    outcome: "not_found",
    permission: "users.manage",
    call: (api) => api.admin.users.setPlan.mutate({ id: missing, plan: "pro" }),
    wrong: (api) => api.admin.users.setPlan.mutate({ id: missing, plan: "pro", budget: { tokens: -1, micros: null } }),
  },
  "admin.users.setRole": {
    outcome: "not_found",
    permission: "users.manage",
    call: (api) => api.admin.users.setRole.mutate({ id: missing, role: "user" }),
    wrong: (api) => api.admin.users.setRole.mutate({ id: "no", role: "" }),
  },
  "admin.users.suspend": {
    outcome: "not_found",
    permission: "users.manage",
    call: (api) => api.admin.users.suspend.mutate({ id: missing }),
    wrong: (api) => api.admin.users.suspend.mutate({ id: "no" }),
  },
  "apiKey.create": {
    call: (api) => api.apiKey.create.mutate({ name: "Robot" }),
    wrong: (api) => api.apiKey.create.mutate({ name: "" }),
  },
  "apiKey.list": { call: (api) => api.apiKey.list.query() },
  "apiKey.revoke": {
    call: async (api) => api.apiKey.revoke.mutate({ id: (await api.apiKey.create.mutate({ name: "Robot" })).apiKey.id }),
    wrong: (api) => api.apiKey.revoke.mutate({ id: "no" }),
    foreign: (api, { keyId }) => api.apiKey.revoke.mutate({ id: keyId }),
  },
  "auth.changePassword": {
    call: (api) => api.auth.changePassword.mutate({ currentPassword: password, newPassword: "Another-horse-2" }),
    wrong: (api) => api.auth.changePassword.mutate({ currentPassword: password, newPassword: "short" }),
  },
  "auth.login": {
    isOpen: true,
    call: (api, { email }) => api.auth.login.mutate({ identifier: email, password }),
    wrong: (api) => api.auth.login.mutate({ identifier: "", password: "" }),
  },
  "auth.logout": { call: (api) => api.auth.logout.mutate() },
  "auth.me": { call: (api) => api.auth.me.query() },
  "auth.refresh": {
    isOpen: true,
    call: (api, { tokens }) => api.auth.refresh.mutate({ refreshToken: tokens.refreshToken }),
    wrong: (api) => api.auth.refresh.mutate({ refreshToken: "x", attemptId: "short" }),
  },
  "auth.register": {
    isOpen: true,
    call: (api) => api.auth.register.mutate({ email: `${unique()}@example.com`, password }),
    wrong: (api) => api.auth.register.mutate({ email: "no", password: "short" }),
  },
  "auth.requestEmailVerification": { call: (api) => api.auth.requestEmailVerification.mutate() },
  "auth.requestPasswordReset": {
    isOpen: true,
    call: (api, { email }) => api.auth.requestPasswordReset.mutate({ email }),
    wrong: (api) => api.auth.requestPasswordReset.mutate({ email: "no" }),
  },
  "auth.resetPassword": {
    outcome: "not_found",
    isOpen: true,
    call: (api) => api.auth.resetPassword.mutate({ token: "made-up", newPassword: "Another-horse-2" }),
    wrong: (api) => api.auth.resetPassword.mutate({ token: "", newPassword: "x" }),
  },
  "auth.verifyEmail": {
    outcome: "not_found",
    isOpen: true,
    call: (api) => api.auth.verifyEmail.mutate({ token: "made-up" }),
    wrong: (api) => api.auth.verifyEmail.mutate({ token: "" }),
  },
  "chat.conversations.get": {
    call: async (api) => api.chat.conversations.get.query({ id: (await send(api)).conversationId }),
    wrong: (api) => api.chat.conversations.get.query({ id: "no" }),
    foreign: (api, { conversationId }) => api.chat.conversations.get.query({ id: conversationId }),
  },
  "chat.conversations.list": {
    call: (api) => api.chat.conversations.list.query({}),
    wrong: (api) => api.chat.conversations.list.query({ limit: 0 }),
  },
  "chat.messages.list": {
    call: async (api) => api.chat.messages.list.query({ conversationId: (await send(api)).conversationId }),
    wrong: (api) => api.chat.messages.list.query({ conversationId: "no" }),
    foreign: (api, { conversationId }) => api.chat.messages.list.query({ conversationId }),
  },
  "chat.send": {
    call: (api) => send(api),
    wrong: (api) => api.chat.send.mutate({ clientMessageId: "", content: "\0" }),
    foreign: (api, { conversationId }) => send(api, conversationId),
  },
  "chat.stop": {
    outcome: "not_found",
    call: (api) => api.chat.stop.mutate({ runId: missing }),
    wrong: (api) => api.chat.stop.mutate({ runId: "no" }),
    foreign: (api, { runId }) => api.chat.stop.mutate({ runId }),
  },
  "model.estimate": {
    call: (api) => api.model.estimate.query({ text: "How many tokens is this?" }),
    wrong: (api) => api.model.estimate.query({ model: "", text: "" }),
  },
  "model.get": {
    isOpen: true,
    call: (api) => api.model.get.query({ id: "demo" }),
    wrong: (api) => api.model.get.query({ id: "" }),
  },
  "model.list": { isOpen: true, call: (api) => api.model.list.query() },
  "model.providers": { call: (api) => api.model.providers.query() },
  "model.test": {
    permission: "metrics.read",
    call: (api) => api.model.test.mutate({ provider: "demo" }),
    wrong: (api) => api.model.test.mutate({ provider: "" }),
  },
  "session.end": {
    call: async (api, { session }) => api.session.end.mutate({ id: session.id }),
    wrong: (api) => api.session.end.mutate({ id: "no" }),
    foreign: (api, { sessionId }) => api.session.end.mutate({ id: sessionId }),
  },
  "session.endAll": { call: (api) => api.session.endAll.mutate() },
  "session.endOthers": { call: (api) => api.session.endOthers.mutate() },
  "session.list": { call: (api) => api.session.list.query() },
  "user.deleteAccount": {
    call: (api) => api.user.deleteAccount.mutate({ password }),
    wrong: (api) => api.user.deleteAccount.mutate({ password: "" }),
  },
  "user.export": { call: (api) => api.user.export.query() },
  "user.preferences": { call: (api) => api.user.preferences.query() },
  "user.profile": { call: (api) => api.user.profile.query() },
  "user.setPreferences": {
    call: (api) => api.user.setPreferences.mutate({ theme: "dark" }),
    wrong: (api) => api.user.setPreferences.mutate({ long: "x".repeat(20_000) }),
  },
  "user.update": {
    call: (api) => api.user.update.mutate({ bio: "Sails" }),
    wrong: (api) => api.user.update.mutate({ timeZone: "Nowhere/Land" }),
  },
  "user.usage": {
    call: (api) => api.user.usage.query({ range: "7d" }),
    wrong: (api) => api.user.usage.query({ range: "1y" as "7d" }),
  },
};
/** Subscriptions have tests of their own below. */
const followed = ["chat.follow", "chat.live"];

const send = (api: Client, conversationId?: string) =>
  api.chat.send.mutate({ clientMessageId: unique(), content: "Hello", answer: false, conversationId });

test("the table has every procedure of the router", () => {
  expect([...Object.keys(table), ...followed].sort()).toEqual(Object.keys(router._def.procedures).sort());
});

/** tRPC keeps the procedures by their whole paths, which its types do not say. */
const typeOf = (name: string): string => Reflect.get(router._def.procedures, name)._def.type;

describe.each(combinations)("on $database over $transport", ({ database, transport }) => {
  let app: TestApp;
  let admin: Person;
  let owner: Person;
  let ids: Ids;
  beforeAll(async () => {
    app = await testApp({ database });
    admin = await app.person(transport);
    owner = await app.person(transport);
    const { conversationId, answer } = await owner.api.chat.send.mutate({ clientMessageId: unique(), content: "Hello" });
    const { apiKey } = await owner.api.apiKey.create.mutate({ name: "Robot" });
    ids = { conversationId, keyId: apiKey.id, sessionId: owner.session.id, userId: owner.user.id, runId: answer?.runId ?? "" };
  });
  afterAll(() => app.stop());

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
        const scopes = (["chat.read", "chat.write", "account.read", "account.write"] as const).filter(
          (scope) => scope !== needed,
        );
        const holder = row.permission ? admin : await app.person(transport);
        const { key } = await holder.api.apiKey.create.mutate({ name: "Narrow", scopes });
        expect(await refusal(row.call(app.client(key, transport), holder))).toMatchObject({
          data: { reason: "forbidden", httpStatus: 403 },
        });
      });

    if (row.permission)
      test("is closed to a user without the permission", async () => {
        const person = await app.person(transport);
        expect(await refusal(row.call(person.api, person))).toMatchObject({ data: { reason: "forbidden", httpStatus: 403 } });
      });

    if (row.wrong)
      test("says what is wrong with its input", async () => {
        const { api } = row.permission ? admin : await app.person(transport);
        const refused = await refusal(row.wrong?.(api) ?? Promise.resolve());
        const issue = expect.objectContaining({ path: expect.any(String) });
        expect(refused).toMatchObject({
          data: { reason: "invalid_input", httpStatus: 400, issues: expect.arrayContaining([issue]) },
        });
      });

    if (row.foreign)
      test("answers alike for somebody else's id and one that does not exist", async () => {
        const stranger = await app.person(transport);
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

describe.each(databaseKinds)("an ended session on %s", (database) => {
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

describe.each(databaseKinds)("following on %s", (database) => {
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
      other.chat.live.subscribe({}, { onStarted: () => resolve(), onData: ({ data }) => void seen.push(data.type) });
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
});
