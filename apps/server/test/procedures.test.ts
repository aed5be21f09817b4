import { router } from "@parley/api";
import type { RunEvent } from "@parley/contract/events";
import { databaseKinds } from "@parley/testing";
import { TRPCClientError } from "@trpc/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, type TestApp, type Transport, testApp } from "./kit.ts";

const missing = "01a1fd8a-0000-7000-8000-000000000000";
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

/** Every procedure, with who may not call it, what it does not take, and whose ids it does not know. */
const table: Record<
  string,
  {
    isOpen?: boolean;
    wrong?: (api: Client) => Promise<unknown>;
    foreign?: (api: Client, id: string) => Promise<unknown>;
    call: (api: Client) => Promise<unknown>;
  }
> = {
  "auth.register": {
    isOpen: true,
    call: (api) => api.auth.register.mutate({ email: `r${Math.random()}@example.com`, password: "Correct-horse-1" }),
    wrong: (api) => api.auth.register.mutate({ email: "no", password: "short" }),
  },
  "auth.login": { isOpen: true, call: async () => null, wrong: (api) => api.auth.login.mutate({ identifier: "", password: "" }) },
  "auth.me": { call: (api) => api.auth.me.query() },
  "model.list": { isOpen: true, call: (api) => api.model.list.query() },
  "chat.send": {
    call: (api) => api.chat.send.mutate({ clientMessageId: String(Math.random()), content: "Hello", answer: false }),
    wrong: (api) => api.chat.send.mutate({ clientMessageId: "", content: "\0" }),
    foreign: (api, conversationId) =>
      api.chat.send.mutate({ clientMessageId: String(Math.random()), content: "Hello", conversationId }),
  },
  "chat.conversations.list": {
    call: (api) => api.chat.conversations.list.query({}),
    wrong: (api) => api.chat.conversations.list.query({ limit: 0 }),
  },
  "chat.conversations.get": {
    call: async (api) => (await api.chat.conversations.list.query({})).items,
    wrong: (api) => api.chat.conversations.get.query({ id: "no" }),
    foreign: (api, id) => api.chat.conversations.get.query({ id }),
  },
  "chat.messages.list": {
    call: async (api) => (await api.chat.conversations.list.query({})).items,
    wrong: (api) => api.chat.messages.list.query({ conversationId: "no" }),
    foreign: (api, conversationId) => api.chat.messages.list.query({ conversationId }),
  },
  "chat.follow": { call: async () => null },
  "chat.live": { call: async () => null },
};

test("the table has every procedure of the router", () => {
  expect(Object.keys(table).sort()).toEqual(Object.keys(router._def.procedures).sort());
});

describe.each(combinations)("on $database over $transport", ({ database, transport }) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await testApp({ database });
  });
  afterAll(() => app.stop());

  describe.each(Object.entries(table).filter(([name]) => !["chat.follow", "chat.live"].includes(name)))("%s", (_, row) => {
    test("does its work", async () => {
      const { api } = await app.person(transport);
      await row.call(api);
    });

    if (!row.isOpen)
      test("is closed to a guest", async () => {
        const refused = await refusal((row.foreign ?? row.call)(app.client(null, transport), missing));
        expect(refused).toMatchObject({ data: { reason: "unauthenticated", httpStatus: 401 } });
      });

    test("does not take a bad token for a guest", async () => {
      const refused = await refusal((row.foreign ?? row.wrong ?? row.call)(app.client("bad", transport), missing));
      expect(refused).toMatchObject({ data: { reason: "unauthenticated" } });
    });

    if (row.wrong)
      test("says what is wrong with its input", async () => {
        const { api } = await app.person(transport);
        const refused = await refusal(row.wrong?.(api) ?? Promise.resolve());
        expect(refused).toMatchObject({
          data: {
            reason: "invalid_input",
            httpStatus: 400,
            issues: expect.arrayContaining([expect.objectContaining({ path: expect.any(String) })]),
          },
        });
      });

    if (row.foreign)
      test("answers alike for somebody else's id and one that does not exist", async () => {
        const owner = await app.person(transport);
        const stranger = await app.person(transport);
        const { conversationId } = await owner.api.chat.send.mutate({ clientMessageId: "1", content: "Mine", answer: false });
        const theirs = await refusal(row.foreign?.(stranger.api, conversationId) ?? Promise.resolve());
        const nobodys = await refusal(row.foreign?.(stranger.api, missing) ?? Promise.resolve());
        expect(theirs).toEqual(nobodys);
        expect(theirs).toMatchObject({ data: { reason: "not_found", httpStatus: 404 } });
      });
  });
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
