import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import os from "node:os";
import path from "node:path";
import type { LiveEvent } from "@parley/contract/events";
import { databaseKinds, listenLocally } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Person, type TestApp, testApp } from "./kit.ts";

interface Arrival {
  path: string | undefined;
  body: string;
}

/** A webhook, Slack and Discord, told apart by their paths; Discord knows nobody. */
async function receiver() {
  const arrivals: Arrival[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    arrivals.push({ path: request.url, body });
    response.writeHead(request.url === "/discord-canary" ? 404 : 200).end();
  });
  const { url } = await listenLocally(server);
  return { url, arrivals, at: (place: string) => arrivals.filter((each) => each.path === place), close: () => server.close() };
}

// Not on workerd: rules come from a file there is none of, and what is read of a process. `edge-counting.test.ts` has its alerts.
describe.each(databaseKinds)("a server with channels, on %s", (database) => {
  let folder: string;
  let outside: Awaited<ReturnType<typeof receiver>>;
  let app: TestApp;
  let admin: Person;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "parley-alerts-"));
    const rules = path.join(folder, "rules.json");
    // More than nothing is in use on any machine: the first readings open it.
    await writeFile(rules, JSON.stringify({ rules: { process_memory: { over: 1, severity: "critical" } } }));
    outside = await receiver();
    app = await testApp({
      database,
      env: {
        ALERT_WEBHOOK_URL: `${outside.url}/webhook`,
        ALERT_WEBHOOK_SECRET: "for-tests-only-0123456789",
        ALERT_SLACK_URL: `${outside.url}/slack-canary`,
        ALERT_DISCORD_URL: `${outside.url}/discord-canary`,
        ALERT_MAIL_TO: "ops@example.com",
        ALERT_RULES: rules,
        SMTP_URL: "smtp://127.0.0.1:1",
        MAIL_FROM: "parley@example.com",
        EMAIL_VERIFICATION: "off",
        NODE_NAME: "web-1",
        PUBLIC_URL: "http://localhost:3000",
      },
    });
    admin = await app.person();
  });
  afterAll(async () => {
    await app.stop();
    outside.close();
    await rm(folder, { recursive: true });
  });

  test("tells everybody of what its first readings find, by the operator's own rules", async () => {
    await expect.poll(() => outside.at("/webhook").length, { timeout: 10_000 }).toBeGreaterThan(0);
    const alert = { rule: "process_memory", severity: "critical", threshold: 1, subject: "web-1" };
    expect(JSON.parse(outside.at("/webhook")[0]?.body ?? "")).toMatchObject({ state: "opened", node: "web-1", alert });
    await expect.poll(() => outside.at("/slack-canary").length).toBeGreaterThan(0);
    expect(outside.at("/slack-canary")[0]?.body).toContain("<http://localhost:3000|Open Parley>");
    await expect.poll(() => app.letters.to("ops@example.com").length).toBeGreaterThan(0);
    expect(app.letters.to("ops@example.com")[0]).toMatchObject({ subject: "[Parley] Critical: process_memory" });
    const { items } = await admin.api.metrics.alerts.query({ open: true });
    expect(items).toMatchObject([{ ...alert, resolvedAt: null }]);
    await expect
      .poll(() => app.log.lines.filter(({ message }) => message === "an alert could not be sent").length)
      .toBeGreaterThan(0);
    expect(JSON.stringify(app.log.lines.map(({ fields: { err, ...fields } }) => [fields, String(err)]))).not.toContain("canary");
  });

  test("lets an operator try each channel, and says what is wrong without telling its address", async () => {
    const { api } = admin;
    const told: LiveEvent[] = [];
    const live = await new Promise<{ unsubscribe(): void }>((resolve) => {
      const subscription = app
        .client(admin.token, "websocket")
        .chat.live.subscribe({}, { onStarted: () => resolve(subscription), onData: ({ data }) => told.push(data) });
    });
    const before = app.letters.to("ops@example.com").length;
    expect(await api.metrics.testAlert.mutate({})).toEqual({
      items: [
        { channel: "webhook", ok: true, trouble: null },
        { channel: "slack", ok: true, trouble: null },
        { channel: "discord", ok: false, trouble: "It answered with status 404" },
        { channel: "mail", ok: true, trouble: null },
      ],
    });
    expect(JSON.parse(outside.at("/webhook").at(-1)?.body ?? "")).toMatchObject({ state: "test", alert: { rule: "test" } });
    expect(app.letters.to("ops@example.com")).toHaveLength(before + 1);
    const heard = () => told.map((event) => (event.type === "notification" ? event.notification.title : event.type));
    await expect.poll(heard).toContain("Test: test");
    live.unsubscribe();
    const slackBefore = outside.at("/slack-canary").length;
    expect(await api.metrics.testAlert.mutate({ channel: "slack" })).toEqual({
      items: [{ channel: "slack", ok: true, trouble: null }],
    });
    expect(outside.at("/slack-canary")).toHaveLength(slackBefore + 1);
  });

  test("lets nobody else try them", async () => {
    const before = outside.arrivals.length;
    const person = await app.person();
    await expect(person.api.metrics.testAlert.mutate()).rejects.toMatchObject({ data: { reason: "forbidden" } });
    await expect(app.client(null).metrics.testAlert.mutate()).rejects.toMatchObject({ data: { reason: "unauthenticated" } });
    expect(outside.arrivals).toHaveLength(before);
  });
});

test("a channel that is not set up cannot be tried, and one that does not exist is no input", async () => {
  await using app = await testApp();
  const { api } = await app.person();
  expect(await api.metrics.testAlert.mutate()).toEqual({ items: [] });
  await expect(api.metrics.testAlert.mutate({ channel: "slack" })).rejects.toMatchObject({
    message: 'The channel "slack" is not set up',
    data: { reason: "not_found", httpStatus: 404 },
  });
  await expect(api.metrics.testAlert.mutate({ channel: "pager" as "mail" })).rejects.toMatchObject({
    data: { reason: "invalid_input", issues: [{ path: "channel", message: expect.any(String) }] },
  });
});
