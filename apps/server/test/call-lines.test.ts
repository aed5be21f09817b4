import { databaseKinds, type LogLine, startUpstream } from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type Person, type TestApp, type Transport, testApp } from "./kit.ts";

// Not on workerd, whose lines come by way of another process's output: what they say is the same code's (`secrets.test.ts` reads them).
describe.each(databaseKinds)("what the log says of calls, on %s", (database) => {
  let app: TestApp;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let person: Person;

  beforeAll(async () => {
    upstream = await startUpstream();
    const env = { OPENAI_COMPATIBLE_BASE_URL: `${upstream.url}/v1`, OPENAI_COMPATIBLE_API_KEY: "a-key" };
    app = await testApp({ database, env });
    person = await app.person();
  });
  afterAll(async () => {
    await app.stop();
    await upstream.stop();
  });

  /** The lines that some work leaves, but those of what goes on by itself. */
  async function linesOf(work: () => Promise<unknown>): Promise<LogLine[]> {
    const before = app.log.lines.length;
    await work().catch(() => {});
    return app.log.lines.slice(before).filter(({ fields }) => "requestId" in fields);
  }
  const above = (lines: LogLine[]) => lines.filter(({ level }) => level !== "debug");

  test.each<Transport>(["http", "websocket"])(
    "a call over %s is one line, with its time, its account and its reason",
    async (transport) => {
      const api = app.client(person.token, transport);
      await api.auth.me.query();
      const [line, ...more] = above(await linesOf(() => api.auth.me.query()));
      expect(more).toEqual([]);
      expect(line).toEqual({
        level: "info",
        message: "call",
        fields: {
          requestId: expect.any(String),
          userId: person.user.id,
          procedure: "auth.me",
          ms: expect.any(Number),
          reason: null,
        },
      });
      const refused = above(await linesOf(() => api.chat.stop.mutate({ runId: crypto.randomUUID() })));
      expect(refused).toMatchObject([
        { level: "info", message: "call", fields: { procedure: "chat.stop", reason: expect.any(String) } },
      ]);
      expect(refused[0]?.fields.reason).not.toBeNull();
    },
  );

  test("each call of a batch has its line, and the request none above debug", async () => {
    const headers = { authorization: `Bearer ${person.token}` };
    const lines = await linesOf(async () => {
      const response = await fetch(`${app.url}/trpc/auth.me,model.list,auth.me?batch=1`, { headers });
      expect(response.status).toBe(200);
      await response.text();
    });
    expect(
      above(lines)
        .map(({ fields }) => fields.procedure)
        .sort(),
    ).toEqual(["auth.me", "auth.me", "model.list"]);
    expect(lines.filter(({ message }) => message === "request")).toHaveLength(1);
  });

  test("what reaches no procedure has the line of its request", async () => {
    const asked: [string, RequestInit, number][] = [
      ["/trpc/no.such", {}, 404],
      ["/trpc/auth.login", { method: "POST", body: "{", headers: { "content-type": "application/json" } }, 400],
      ["/nowhere", {}, 404],
    ];
    for (const [path, init, status] of asked) {
      const lines = above(await linesOf(async () => expect((await fetch(`${app.url}${path}`, init)).status).toBe(status)));
      expect(lines.length).toBe(1);
    }
    expect(above(await linesOf(() => fetch(`${app.url}/health`)))).toEqual([]);
  });

  test("a subscription has a line when it begins, and another at its end that says how long it lasted", async () => {
    for (const transport of ["websocket", "sse"]) {
      const before = app.log.lines.length;
      const ended = () => app.log.lines.slice(before).filter(({ message }) => message === "subscription ended");
      if (transport === "sse") {
        const left = new AbortController();
        const headers = { authorization: `Bearer ${person.token}` };
        const response = await fetch(`${app.url}/trpc/chat.live?input=${encodeURIComponent('{"json":{}}')}`, {
          headers,
          signal: left.signal,
        });
        await response.body?.getReader().read();
        left.abort();
      } else {
        const socket = new WebSocket(app.socketUrl, { headers: { authorization: `Bearer ${person.token}` } });
        await new Promise((resolve) => socket.once("open", resolve));
        socket.send(JSON.stringify({ id: 1, method: "subscription", params: { path: "chat.live", input: { json: {} } } }));
        await new Promise((resolve) => socket.once("message", resolve));
        socket.terminate();
      }
      const fields = { userId: person.user.id, procedure: "chat.live", ms: expect.any(Number) };
      await expect.poll(ended).toMatchObject([{ level: "debug", fields }]);
      expect(
        app.log.lines.slice(before).filter(({ fields }) => fields.procedure === "chat.live" && "reason" in fields),
      ).toHaveLength(1);
    }
  });

  test("a slow call says how much of it was the vendor's", async () => {
    upstream.byKey("a-key", { steps: [{ waitMs: 1_100 }] });
    const operator = app.client(person.token);
    const lines = above(await linesOf(() => operator.model.test.mutate({ provider: "openai" })));
    expect(lines).toMatchObject([{ level: "warn", message: "slow call", fields: { procedure: "model.test", slow: true } }]);
    const { ms, vendorMs, databaseMs } = lines[0]?.fields ?? {};
    expect(Number(vendorMs)).toBeGreaterThan(1_000);
    expect(Number(vendorMs)).toBeLessThanOrEqual(Number(ms));
    expect(Number(databaseMs)).toBeLessThan(Number(vendorMs));
  });

  test("a failure that nobody foresaw is told once with its error, and once as a call", async () => {
    await app.database.database.execute(sql`alter table api_keys rename to away`);
    const lines = above(await linesOf(() => person.api.apiKey.list.query()));
    await app.database.database.execute(sql`alter table away rename to api_keys`);
    expect(lines.map(({ level, message }) => [level, message]).sort()).toEqual([
      ["error", "a call failed unexpectedly"],
      ["warn", "call"],
    ]);
    expect(new Set(lines.map(({ fields }) => fields.requestId)).size).toBe(1);
  });
});
