import type { AlertChannel, AlertNotice } from "@parley/core/ports";
import { AlertChannelError } from "@parley/core/ports";
import { collectingChannel, databaseKinds, openTestDatabase, type TestDatabase, testServices, testSystem } from "@parley/testing";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { usualRules } from "./rules.ts";

const rules = usualRules.filter(({ name }) => name === "memory");

/** Refuses so many times, and says what it was asked. */
function failing(name: AlertChannel["name"], errors: Error[]) {
  const channel = collectingChannel(name);
  const asked: AlertNotice[] = [];
  const { send } = channel;
  return Object.assign(channel, {
    asked,
    async send(notice: AlertNotice) {
      asked.push(notice);
      const error = errors.shift();
      if (error) throw error;
      await send(notice);
    },
  });
}

const [kind = "pglite"] = databaseKinds;

describe("channels", () => {
  let database: TestDatabase;
  let services: ReturnType<typeof testServices> | undefined;
  beforeAll(async () => {
    database = await openTestDatabase(kind);
  });
  afterEach(async () => {
    await services?.stop();
    await database.database.execute(sql`delete from alerts`);
  });
  afterAll(() => database.close());

  async function start(channels: AlertChannel[]) {
    const system = testSystem("node");
    const node = testServices(database, { system, channels, alerts: { rules, retryMs: 1 } });
    services = node;
    await node.background.settled();
    const read = async (share: number) => {
      system.useMemory(share);
      await node.round("take readings");
      await node.background.settled();
    };
    const deliveries = () => Array.from(node.meters.deliveries.cells(), ({ labels, value }) => [...labels, value].join(" "));
    return { ...node, read, deliveries };
  }

  test("that refuse are tried again with the same notice, others are not kept waiting", async () => {
    const slack = failing("slack", [new Error("broken"), new AlertChannelError("busy", { retryAfterMs: 2 })]);
    const webhook = collectingChannel("webhook");
    const node = await start([slack, webhook]);
    await node.read(0.9);
    expect(slack.asked).toHaveLength(3);
    expect(new Set(slack.asked.map(({ id }) => id)).size).toBe(1);
    expect(slack.notices).toEqual(webhook.notices);
    expect(node.deliveries()).toEqual(["webhook sent 1", "slack sent 1"]);
  });

  test("that refuse for good, or five times, are given up with a line in the log", async () => {
    const discord = failing("discord", [new AlertChannelError("It answered with status 404", { isFinal: true })]);
    const mail = failing(
      "mail",
      Array.from({ length: 5 }, () => new AlertChannelError("It answered with status 503")),
    );
    const node = await start([discord, mail]);
    await node.read(0.9);
    expect([discord.asked.length, mail.asked.length]).toEqual([1, 5]);
    expect(node.deliveries().sort()).toEqual(["discord failed 1", "mail failed 1"]);
    const lines = node.log.lines.filter(({ message }) => message === "an alert could not be sent");
    expect(lines.map(({ level, fields }) => [level, fields.channel, fields.rule])).toEqual([
      ["error", "discord", "memory"],
      ["error", "mail", "memory"],
    ]);
  });

  test("hear of an end after the beginning, however late the beginning is taken", async () => {
    let take = () => {};
    const taken = new Promise<void>((resolve) => {
      take = resolve;
    });
    const channel = collectingChannel();
    const { send } = channel;
    channel.send = async (notice) => {
      if (notice.state === "opened") await taken;
      await send(notice);
    };
    const system = testSystem("node");
    const node = testServices(database, { system, channels: [channel], alerts: { rules, retryMs: 1 } });
    services = node;
    await node.background.settled();
    for (const share of [0.9, 0.5]) {
      system.useMemory(share);
      await node.round("take readings");
    }
    expect(channel.notices).toEqual([]);
    take();
    await node.background.settled();
    expect(channel.notices.map(({ state }) => state)).toEqual(["opened", "resolved"]);
  });

  test("are tested one by one or all at once, and say what is wrong with them", async () => {
    const slack = failing("slack", [new AlertChannelError("It answered with status 404", { isFinal: true })]);
    const mail = failing("mail", [new Error("secret canary")]);
    const webhook = collectingChannel("webhook");
    const node = await start([slack, mail, webhook]);
    const { actor } = await node.person();
    const before = await node.eventLog.head(`user:${actor.userId}`);
    expect(await node.alerts.test(actor, {})).toEqual({
      items: [
        { channel: "slack", ok: false, trouble: "It answered with status 404" },
        { channel: "mail", ok: false, trouble: "It could not be sent: the log says why" },
        { channel: "webhook", ok: true, trouble: null },
      ],
    });
    expect(await node.eventLog.head(`user:${actor.userId}`)).toBe(before + 1);
    expect(await node.alerts.test(actor, { channel: "mail" })).toEqual({ items: [{ channel: "mail", ok: true, trouble: null }] });
    expect(slack.asked).toHaveLength(1);
    expect(webhook.notices).toMatchObject([{ state: "test", alert: { rule: "test", subject: "node", resolvedAt: null } }]);
    await expect(node.alerts.test(actor, { channel: "discord" })).rejects.toMatchObject({ reason: "not_found" });
    expect((await node.alerts.list({})).items).toEqual([]);
  });
});
