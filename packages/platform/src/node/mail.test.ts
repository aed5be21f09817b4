import { once } from "node:events";
import net from "node:net";
import { text } from "node:stream/consumers";
import { AppError } from "@parley/core";
import { collectingLog } from "@parley/testing";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterEach, describe, expect, test } from "vitest";
import { logMailer } from "../shared/mail/log-mailer.ts";
import type { OpenMailer } from "../shared/mail/open-mailer.ts";
import { smtpMailer } from "./mail.ts";

interface Arrival {
  raw: string;
  from: string;
  to: string[];
  user: string | undefined;
  secure: boolean;
  connection: string;
}

const letter = {
  to: "dana@example.com",
  subject: "Confirm",
  text: "Hello,\n\nhttps://chat.example.com/verify?token=canary-link\n",
  html: "<p>Hello</p>",
};
const user = "canary-user@example.com";
const password = "canary pass/word:1";
const credentials = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
const log = collectingLog();

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
  log.lines.length = 0;
});

async function mailServer(options: SMTPServerOptions = {}) {
  const arrivals: Arrival[] = [];
  const server = new SMTPServer({
    logger: false,
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    closeTimeout: 100,
    onAuth({ username, password: given }, _, callback) {
      if (username === user && given === password) callback(null, { user: username });
      else callback(new Error(`No such user: ${username} ${given}`));
    },
    onData(stream, session, callback) {
      text(stream).then((raw) => {
        const { mailFrom, rcptTo } = session.envelope;
        arrivals.push({
          raw,
          from: mailFrom ? mailFrom.address : "",
          to: rcptTo.map(({ address }) => address),
          user: session.user?.toString(),
          secure: session.secure,
          connection: session.id,
        });
        callback();
      }, callback);
    },
    ...options,
  });
  // A client that hangs up in the middle is an error of its connection only.
  server.on("error", () => {});
  const listening = server.listen(0, "127.0.0.1");
  await once(listening, "listening");
  cleanUp.push(() => new Promise((resolve) => server.close(() => resolve())));
  const hangUp = () => {
    for (const connection of server.connections) connection.close();
  };
  return { arrivals, address: `127.0.0.1:${portOf(listening)}`, hangUp };
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("The server does not listen");
  return address.port;
}

async function mailer(url: string, from = "Parley <parley@example.com>"): Promise<OpenMailer> {
  const opened = await smtpMailer({ url, from, log });
  cleanUp.push(() => opened.close());
  return opened;
}

function headersOf(raw: string): Map<string, string> {
  const head = raw.slice(0, raw.indexOf("\r\n\r\n")).replace(/\r\n[ \t]+/g, " ");
  return new Map(
    head.split("\r\n").map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)]),
  );
}

/** Encoded words as of RFC 2047; the space between two of them is not a part of the text. */
function decoded(header = ""): string {
  return header
    .replace(/\?= =\?/g, "?==?")
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, encoding: string, content: string) =>
      encoding.toLowerCase() === "b"
        ? Buffer.from(content, "base64").toString("binary")
        : content
            .replace(/_/g, " ")
            .replace(/=([0-9a-f]{2})/gi, (_hex, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
    )
    .replace(/[\u0080-\u00ff]+/g, (bytes) => Buffer.from(bytes, "binary").toString());
}

function partsOf(raw: string): { type: string; content: string }[] {
  const boundary = /boundary="([^"]+)"/.exec(raw)?.[1] ?? "none";
  return raw
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const headers = headersOf(part.trimStart());
      const body = part.slice(part.indexOf("\r\n\r\n") + 4);
      const content =
        headers.get("content-transfer-encoding") === "base64"
          ? Buffer.from(body, "base64").toString()
          : Buffer.from(
              body
                .replace(/=\r\n/g, "")
                .replace(/=([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
              "binary",
            ).toString();
      return { type: headers.get("content-type") ?? "", content: content.replace(/\r\n/g, "\n").trim() };
    });
}

function expectNoSecret(error: unknown) {
  const told = [error, error instanceof Error ? [error.message, error.stack, error.cause] : null, log.lines];
  const shown = JSON.stringify(told);
  expect(shown).not.toContain("canary");
  expect(shown).not.toContain(encodeURIComponent(password));
  for (const secret of [user, password, `\u0000${user}\u0000${password}`]) {
    expect(shown).not.toContain(Buffer.from(secret).toString("base64"));
  }
}

describe("smtpMailer", () => {
  test("delivers a letter as text and html, signed in, from and to whom it should be", async () => {
    const { arrivals, address } = await mailServer({ authOptional: false });
    const open = await mailer(`smtp://${credentials}@${address}`, "צוות Parley <parley@example.com>");
    await open.send(letter);
    const [arrival] = arrivals;
    expect(arrival).toMatchObject({ from: "parley@example.com", to: ["dana@example.com"], user });
    const headers = headersOf(arrival?.raw ?? "");
    expect(decoded(headers.get("from"))).toBe("צוות Parley <parley@example.com>");
    expect(headers.get("to")).toBe("dana@example.com");
    expect(headers.get("subject")).toBe("Confirm");
    expect(headers.get("auto-submitted")).toBe("auto-generated");
    expect(headers.get("message-id")).toMatch(/^<.+@example\.com>$/);
    expect(headers.get("date")).toBeDefined();
    expect(headers.get("content-type")).toContain("multipart/alternative");
    expect(partsOf(arrival?.raw ?? "")).toEqual([
      { type: "text/plain; charset=utf-8", content: letter.text.trim() },
      { type: "text/html; charset=utf-8", content: letter.html },
    ]);
    expect(log.lines).toEqual([]);
  });

  test.each([
    ["Hebrew", "אישור כתובת הדוא״ל", "שלום \u2068דנה\u2069,\nאפשר להתעלם מהודעה זו."],
    ["Russian", "Подтвердите адрес электронной почты, чтобы пользоваться учётной записью", "Здравствуйте!"],
    ["Arabic", "تأكيد عنوان البريد الإلكتروني", "مرحبًا،"],
  ])("%s arrives as it was written", async (_, subject, words) => {
    const { arrivals, address } = await mailServer();
    const open = await mailer(`smtp://${address}`);
    await open.send({ ...letter, subject, text: words, html: `<p dir="auto">${words}</p>` });
    const raw = arrivals[0]?.raw ?? "";
    expect(raw).toMatch(/^[\t\r\n -~]*$/);
    expect(decoded(headersOf(raw).get("subject"))).toBe(subject);
    expect(partsOf(raw).map(({ content }) => content)).toEqual([words, `<p dir="auto">${words}</p>`]);
  });

  test("neither a subject nor an address can add a header or a recipient", async () => {
    const { arrivals, address } = await mailServer();
    const open = await mailer(`smtp://${address}`);
    await open.send({ ...letter, subject: "Hello\r\nBcc: eve@example.com\r\n\r\nbody" });
    await open.send({ ...letter, to: "dana@example.com\r\nBcc: eve@example.com" }).catch(() => {});
    await open.send({ ...letter, to: "dana@example.com, eve@example.com" }).catch(() => {});
    expect(arrivals.length).toBeGreaterThan(0);
    for (const { raw, to } of arrivals) {
      expect(headersOf(raw).has("bcc")).toBe(false);
      expect(to).toHaveLength(1);
    }
    expect(arrivals[0]?.to).toEqual(["dana@example.com"]);
  });

  test("keeps its connection for the next letter, and opens another when the server has hung up", async () => {
    const { arrivals, address, hangUp } = await mailServer();
    const open = await mailer(`smtp://${address}`);
    await open.send(letter);
    await open.send(letter);
    expect(new Set(arrivals.map(({ connection }) => connection)).size).toBe(1);
    hangUp();
    await open.send(letter);
    expect(arrivals).toHaveLength(3);
  });

  test("twenty letters at once all arrive", async () => {
    const { arrivals, address } = await mailServer();
    const open = await mailer(`smtp://${credentials}@${address}`);
    await Promise.all(Array.from({ length: 20 }, (_, index) => open.send({ ...letter, to: `person-${index}@example.com` })));
    expect(new Set(arrivals.flatMap(({ to }) => to)).size).toBe(20);
    expect(new Set(arrivals.map(({ connection }) => connection)).size).toBeLessThanOrEqual(5);
  });

  test("encrypts where the server offers it", async () => {
    const { arrivals, address } = await mailServer({ disabledCommands: [], allowInsecureAuth: false, authOptional: false });
    const open = await mailer(`smtp://${credentials}@${address}?tls.rejectUnauthorized=false`);
    await open.send(letter);
    expect(arrivals[0]).toMatchObject({ secure: true, user });
  });

  test("speaks TLS from the first byte to an smtps address", async () => {
    const { arrivals, address } = await mailServer({ secure: true });
    const open = await mailer(`smtps://${credentials}@${address}?tls.rejectUnauthorized=false`);
    await open.send(letter);
    expect(arrivals[0]).toMatchObject({ secure: true, user });
  });

  const refusing = (message: string, responseCode: number) => Object.assign(new Error(message), { responseCode });
  const failures: [string, SMTPServerOptions, { path?: string; as?: string; logged: object }][] = [
    ["does not know the password", {}, { as: `${user}:wrong-canary`, logged: { code: "EAUTH", responseCode: 535 } }],
    [
      "does not take the recipient",
      { onRcptTo: (_, __, callback) => callback(refusing("5.1.1 No canary-user here", 550)) },
      { logged: { code: "EENVELOPE", responseCode: 550, status: "5.1.1" } },
    ],
    [
      "does not like the letter and quotes it",
      {
        onData: (stream, _, callback) =>
          void stream.resume().on("end", () => callback(refusing("5.7.1 Bad link canary-link", 554))),
      },
      { logged: { code: "EMESSAGE", responseCode: 554, status: "5.7.1" } },
    ],
    ["cannot prove who it is", { disabledCommands: [] }, { logged: { detail: expect.stringContaining("certificate") } }],
    ["does not encrypt where that is required", {}, { path: "?requireTLS=true", logged: { code: "ETLS" } }],
    [
      "falls silent in the middle",
      { onData: (stream) => void stream.resume() },
      { path: "?socketTimeout=150", logged: { code: "ETIMEDOUT" } },
    ],
  ];

  test.each(failures)("a server that %s makes mail unavailable, and nothing secret is told", async (_, options, expected) => {
    const { arrivals, address } = await mailServer(options);
    const login = expected.as?.replace(user, encodeURIComponent(user)) ?? credentials;
    const open = await mailer(`smtp://${login}@${address}${expected.path ?? ""}`);
    const error: unknown = await open.send(letter).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ reason: "unavailable" });
    expect(log.lines).toMatchObject([{ level: "warn", fields: expected.logged }]);
    expect(arrivals).toEqual([]);
    expectNoSecret(error);
  });

  test("a refusal of one letter does not stand in the way of the next", async () => {
    const { arrivals, address } = await mailServer({
      onRcptTo: ({ address: to }, _, callback) => callback(to.startsWith("nobody") ? refusing("No such person", 550) : null),
    });
    const open = await mailer(`smtp://${address}`);
    await expect(open.send({ ...letter, to: "nobody@example.com" })).rejects.toMatchObject({ reason: "unavailable" });
    await open.send(letter);
    expect(arrivals).toHaveLength(1);
  });

  test("a server that is not there makes mail unavailable", async () => {
    const closed = net.createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const port = portOf(closed);
    closed.close();
    await once(closed, "close");
    const open = await mailer(`smtp://${credentials}@127.0.0.1:${port}`);
    const error: unknown = await open.send(letter).catch((thrown) => thrown);
    expect(error).toMatchObject({ reason: "unavailable" });
    expect(log.lines).toMatchObject([{ fields: { originalCode: "ECONNREFUSED" } }]);
    expectNoSecret(error);
  });

  test.each([
    ["never says a word", () => {}],
    ["hangs up before it says a word", (socket: net.Socket) => void socket.end()],
    ["speaks another language", (socket: net.Socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ])("a server that %s makes mail unavailable", async (_, greet) => {
    const sockets = new Set<net.Socket>();
    const server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      greet(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanUp.push(async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const open = await mailer(`smtp://${credentials}@127.0.0.1:${portOf(server)}?greetingTimeout=150&maxRequeues=1`);
    const error: unknown = await open.send(letter).catch((thrown) => thrown);
    expect(error).toMatchObject({ reason: "unavailable" });
    expectNoSecret(error);
  });

  test("closing ends what is under way and refuses what comes after", async () => {
    let reached = () => {};
    const isReached = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const { address } = await mailServer({
      onData(stream) {
        stream.resume();
        reached();
      },
    });
    const open = await mailer(`smtp://${address}`);
    const underWay = expect(open.send(letter)).rejects.toMatchObject({ reason: "unavailable" });
    await isReached;
    await open.close();
    await underWay;
    await expect(open.send(letter)).rejects.toMatchObject({ reason: "unavailable" });
  });

  test("an address that cannot be understood is refused without being quoted", async () => {
    const error: unknown = await mailer("smtp://me:canary#password@127.0.0.1:1").catch((thrown) => thrown);
    expect(error).toMatchObject({ message: "SMTP_URL cannot be understood" });
    expectNoSecret(error);
  });
});

test("without a mail server the link is in the log, and the html is not", async () => {
  const open = logMailer(log);
  await open.send(letter);
  expect(log.lines).toEqual([
    {
      level: "info",
      fields: { to: letter.to, subject: letter.subject, text: letter.text },
      message: expect.stringContaining("SMTP_URL"),
    },
  ]);
  await open.close();
});
