import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { collectingLog } from "@parley/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { httpMailer } from "./http-mailer.ts";

const letter = { to: "ada@example.com", subject: "Hello", text: "https://example.com/secret-link", html: "<p>Hello</p>" };
let server: Server;
let url: string;
let status: number;
let taken: { authorization: string | undefined; body: unknown }[];

beforeEach(async () => {
  status = 200;
  taken = [];
  server = createServer(async (request, response) => {
    taken.push({ authorization: request.headers.authorization, body: JSON.parse(await text(request)) });
    response.writeHead(status).end(JSON.stringify({ message: letter.text }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/emails`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

test("a letter is handed over as JSON, with the key", async () => {
  await httpMailer({ url, key: "mail-key", from: "parley@example.com", log: collectingLog() }).send(letter);
  expect(taken).toMatchObject([
    { authorization: "Bearer mail-key", body: { from: "parley@example.com", to: ["ada@example.com"], subject: "Hello" } },
  ]);
});

test("a letter that is not taken is told as unavailable, and the log says neither key nor link", async () => {
  const log = collectingLog();
  status = 422;
  const mailer = httpMailer({ url, key: "mail-key", from: "parley@example.com", log });
  await expect(mailer.send(letter)).rejects.toMatchObject({ reason: "unavailable" });
  server.closeAllConnections();
  server.close();
  await expect(mailer.send(letter)).rejects.toMatchObject({ reason: "unavailable" });
  expect(log.lines).toHaveLength(2);
  expect(JSON.stringify(log.lines)).not.toMatch(/secret-link|mail-key/);
});
