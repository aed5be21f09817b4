import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AlertChannel, AlertNotice, Letter } from "@parley/core/ports";
import { AlertChannelError } from "@parley/core/ports";
import { listenLocally } from "@parley/testing";
import { afterEach, describe, expect, test } from "vitest";
import { discordChannel } from "./discord.ts";
import { mailChannel } from "./mail.ts";
import { slackChannel } from "./slack.ts";
import { webhookChannel } from "./webhook.ts";

const notice: AlertNotice = {
  id: "01a1fd8a-0000-7000-8000-000000000001",
  state: "opened",
  alert: {
    id: "01a1fd8a-0000-7000-8000-000000000002",
    rule: "memory",
    subject: "<web_1>",
    severity: "critical",
    text: "Memory of <web_1> is at 91.5 % (over 85 %)",
    value: 91.5,
    threshold: 85,
    unit: "%",
    openedAt: new Date("2026-11-21T19:31:00Z"),
    seenAt: new Date("2026-11-21T19:31:30Z"),
    resolvedAt: null,
  },
};
const resolved: AlertNotice = {
  ...notice,
  state: "resolved",
  alert: { ...notice.alert, resolvedAt: new Date("2026-11-21T19:40:00Z") },
};
const outage: AlertNotice = {
  ...notice,
  alert: {
    ...notice.alert,
    rule: "database_away",
    subject: "database",
    text: "The database does not answer",
    value: 1,
    threshold: 0,
    unit: "",
  },
};
const now = new Date("2026-11-21T19:32:07.500Z");
const clock = { now: () => now };
const secret = "for-tests-only-0123456789";
const link = "https://parley.example";

interface Arrival {
  path: string | undefined;
  headers: IncomingMessage["headers"];
  text: string;
}

type Answer = (response: ServerResponse) => void;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Answers in turn, and goes on with the last. */
async function receiver(...answers: Answer[]) {
  const arrivals: Arrival[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    arrivals.push({ path: request.url, headers: request.headers, text: Buffer.concat(chunks).toString() });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(response);
  });
  const { url } = await listenLocally(server);
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `${url}/services/canary-path`, arrivals };
}

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(code, headers).end("canary-words");

const channels: [string, (url: string, timeoutMs?: number) => AlertChannel][] = [
  ["webhook", (url, timeoutMs) => webhookChannel({ url, secret, node: "web-1", clock, timeoutMs })],
  ["slack", (url, timeoutMs) => slackChannel({ url, link, timeoutMs })],
  ["discord", (url, timeoutMs) => discordChannel({ url, link, timeoutMs })],
];

async function refusalOf(channel: AlertChannel): Promise<AlertChannelError> {
  const error: unknown = await channel.send(notice).catch((thrown) => thrown);
  if (!(error instanceof AlertChannelError)) throw new Error(`Expected a refusal, got ${error}`);
  expect(`${error.stack} ${JSON.stringify(error)} ${error.cause}`).not.toContain("canary");
  return error;
}

describe.each(channels)("%s", (name, open) => {
  test("is told in JSON, and is content with any answer that is one", async () => {
    const { url, arrivals } = await receiver(status(200), status(204));
    const channel = open(url);
    await channel.send(notice);
    await channel.send(resolved);
    expect(channel.name).toBe(name);
    expect(arrivals).toMatchObject(
      Array.from({ length: 2 }, () => ({ path: "/services/canary-path", headers: { "content-type": "application/json" } })),
    );
  });

  test("that is troubled is told another time, and when, if it says so", async () => {
    const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();
    const { url } = await receiver(
      status(500),
      status(429, { "retry-after": "7" }),
      status(503, { "retry-after": inAnHour }),
      status(200),
    );
    const channel = open(url);
    expect(await refusalOf(channel)).toMatchObject({
      message: "It answered with status 500",
      isFinal: false,
      retryAfterMs: undefined,
    });
    expect(await refusalOf(channel)).toMatchObject({
      message: "It answered with status 429",
      isFinal: false,
      retryAfterMs: 7_000,
    });
    const { retryAfterMs = 0 } = await refusalOf(channel);
    expect(retryAfterMs).toBeGreaterThan(3_000_000);
    await channel.send(notice);
  });

  test("that does not know us is not told again", async () => {
    const { url } = await receiver(status(404));
    expect(await refusalOf(open(url))).toMatchObject({ message: "It answered with status 404", isFinal: true });
  });

  test("that sends us elsewhere is not followed there", async () => {
    const elsewhere = await receiver(status(200));
    const { url } = await receiver(status(307, { location: elsewhere.url }));
    expect(await refusalOf(open(url))).toMatchObject({
      message: "It answered with status 307: redirects are not followed",
      isFinal: true,
    });
    expect(elsewhere.arrivals).toEqual([]);
  });

  test("that hangs is given up, before its answer and within it", async () => {
    const { url } = await receiver(() => {});
    expect(await refusalOf(open(url, 100))).toMatchObject({ message: "It did not answer within 0.1 seconds", isFinal: false });
    const half = await receiver((response) => void response.writeHead(200, { "content-length": "1000" }).write("half"));
    await open(half.url).send(notice);
  });

  test("that is not there, or speaks another language, is unreachable", async () => {
    const gone = await receiver(status(200));
    closers.pop()?.();
    expect((await refusalOf(open(gone.url))).message).toBe("It could not be reached (ECONNREFUSED)");
    const strange = await receiver((response) => void response.socket?.end("SMTP canary\r\n\r\n"));
    expect((await refusalOf(open(strange.url))).message).toMatch(/^It could not be reached \(\w+\)$/);
  });
});

describe("what a webhook is told", () => {
  test("is the alert as it is, with a signature over the time and the body", async () => {
    const { url, arrivals } = await receiver(status(200));
    await webhookChannel({ url, secret, node: "web-1", clock }).send(notice);
    const { text = "", headers } = arrivals[0] ?? {};
    const alert = { ...notice.alert, openedAt: "2026-11-21T19:31:00.000Z", seenAt: "2026-11-21T19:31:30.000Z" };
    expect(JSON.parse(text)).toEqual({ id: notice.id, state: "opened", alert, node: "web-1", sentAt: now.toISOString() });
    const signed = createHmac("sha256", secret).update(`1795289527.${text}`).digest("hex");
    expect(headers?.["x-parley-signature"]).toBe(`t=1795289527,v1=${signed}`);
  });

  test("is not signed without a secret", async () => {
    const { url, arrivals } = await receiver(status(200));
    await webhookChannel({ url, secret: null, node: "web-1", clock }).send(notice);
    expect(arrivals[0]?.headers).not.toHaveProperty("x-parley-signature");
  });

  test("passes the check that the documentation shows, and what was changed does not", async () => {
    const page = await readFile(new URL("../../../../../docs/operations/alerts.md", import.meta.url), "utf8");
    const [, example = ""] = /```js\n(\/\/ verify\.mjs\n.*?)```/s.exec(page) ?? [];
    const { verify } = await import(`data:text/javascript,${encodeURIComponent(example)}`);
    const { url, arrivals } = await receiver(status(200));
    await webhookChannel({ url, secret, node: "web-1", clock: { now: () => new Date() } }).send(notice);
    const { text = "", headers } = arrivals[0] ?? {};
    const signature = headers?.["x-parley-signature"];
    expect(verify(text, signature, secret)).toBe(true);
    expect(verify(text, signature, `${secret}!`)).toBe(false);
    expect(verify(text.replace("opened", "resolved"), signature, secret)).toBe(false);
    expect(verify(text, undefined, secret)).toBe(false);
    const old = await receiver(status(200));
    await webhookChannel({ url: old.url, secret, node: "web-1", clock: { now: () => new Date(Date.now() - 600_000) } }).send(
      notice,
    );
    expect(verify(old.arrivals[0]?.text, old.arrivals[0]?.headers["x-parley-signature"], secret)).toBe(false);
  });
});

/** What one notice looks like to a receiver. */
async function shown(open: (url: string) => AlertChannel, sent: AlertNotice) {
  const { url, arrivals } = await receiver(status(200));
  await open(url).send(sent);
  return JSON.parse(arrivals[0]?.text ?? "");
}

test("Slack is told in its own format, in which names cannot call anybody", async () => {
  const open = (url: string) => slackChannel({ url, link });
  expect(await shown(open, notice)).toEqual({
    text: "*Critical: memory*\nMemory of &lt;web_1&gt; is at 91.5 % (over 85 %)",
    attachments: [
      {
        color: "#d1242f",
        blocks: [
          {
            type: "section",
            fields: [
              { type: "mrkdwn", text: "*About*\n&lt;web_1&gt;" },
              { type: "mrkdwn", text: "*Reading*\n91.5 %" },
              { type: "mrkdwn", text: "*Threshold*\n85 %" },
              { type: "mrkdwn", text: "*Since*\n<!date^1795289460^{date_short_pretty} {time_secs}|2026-11-21T19:31:00Z>" },
            ],
          },
          { type: "context", elements: [{ type: "mrkdwn", text: "<https://parley.example|Open Parley>" }] },
        ],
      },
    ],
  });
  const over = await shown((url) => slackChannel({ url, link: null }), resolved);
  expect(over).toMatchObject({ text: expect.stringContaining("*Resolved: memory*"), attachments: [{ color: "#1a7f37" }] });
  expect(over.attachments[0].blocks).toHaveLength(1);
  expect(JSON.stringify(over)).toContain("*Until*");
  expect(JSON.stringify(await shown(open, outage))).not.toMatch(/Reading|Threshold/);
});

test("Discord is told in its own format, in which names cannot call anybody", async () => {
  const open = (url: string) => discordChannel({ url, link });
  const alert = { ...notice.alert, subject: "@everyone *_*" };
  expect(await shown(open, { ...notice, alert })).toEqual({
    embeds: [
      {
        title: "Critical: memory",
        description: "Memory of <web\\_1\\> is at 91.5 % \\(over 85 %\\)",
        color: 0xd1242f,
        url: link,
        fields: [
          { name: "About", value: "@everyone \\*\\_\\*", inline: true },
          { name: "Reading", value: "91.5 %", inline: true },
          { name: "Threshold", value: "85 %", inline: true },
          { name: "Since", value: "<t:1795289460:f>", inline: true },
        ],
      },
    ],
    allowed_mentions: { parse: [] },
  });
  expect((await shown((url) => discordChannel({ url, link: null }), resolved)).embeds[0]).not.toHaveProperty("url");
});

describe("mail", () => {
  test("tells each address, in words and in HTML", async () => {
    const letters: Letter[] = [];
    const mailer = { send: async (letter: Letter) => void letters.push(letter) };
    await mailChannel({ mailer, to: ["a@example.com", "b@example.com"], link }).send(resolved);
    expect(letters.map(({ to }) => to)).toEqual(["a@example.com", "b@example.com"]);
    expect(letters[0]?.subject).toBe("[Parley] Resolved: memory");
    expect(letters[0]?.text).toBe(
      "Memory of <web_1> is at 91.5 % (over 85 %)\n\nAbout: <web_1>\nReading: 91.5 %\nThreshold: 85 %\n" +
        "Since: 2026-11-21 19:31:00 UTC\nUntil: 2026-11-21 19:40:00 UTC\n\nhttps://parley.example\n",
    );
    expect(letters[0]?.html).toContain("&lt;web_1&gt;");
    expect(letters[0]?.html).not.toContain("<web_1>");
  });

  test("fails when one address does, and at the next try nobody gets a second letter", async () => {
    const sent: string[] = [];
    let isBroken = true;
    const mailer = {
      async send({ to }: Letter) {
        if (isBroken && to.startsWith("b")) throw new Error("refused");
        sent.push(to);
      },
    };
    const channel = mailChannel({ mailer, to: ["a@example.com", "b@example.com", "c@example.com"], link: null });
    await expect(channel.send(notice)).rejects.toThrow("refused");
    isBroken = false;
    await channel.send(notice);
    expect(sent).toEqual(["a@example.com", "c@example.com", "b@example.com"]);
    await channel.send({ ...notice });
    expect(sent).toHaveLength(6);
  });
});
