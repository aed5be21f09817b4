import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type TestApp, testApp } from "./kit.ts";
import { places } from "./workerd.ts";

describe.each(places.filter((place) => place !== "postgres"))("on %s", (database) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await testApp({ database });
  });
  afterAll(() => app.stop());
  afterEach(async () => {
    expect((await fetch(`${app.url}/live`)).status).toBe(200);
  });

  /** Sends bytes as they are and waits for the server to hang up. */
  function raw(bytes: string | Buffer): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(Number(new URL(app.url).port), "127.0.0.1");
      let answer = "";
      socket.on("data", (data) => {
        answer += data.toString("latin1");
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve(answer));
      socket.write(bytes);
    });
  }

  /** The same, but the server need not hang up. */
  function rawUntil(bytes: string, mark: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(app.url).port), "127.0.0.1");
      let answer = "";
      socket.on("data", (data) => {
        answer += data.toString("latin1");
        if (!answer.includes(mark)) return;
        socket.destroy();
        resolve(answer);
      });
      socket.on("error", reject);
      socket.write(bytes);
    });
  }

  const upgrade = (target: string, headers: string[] = [], host = "localhost") =>
    [
      `GET ${target} HTTP/1.1`,
      `Host: ${host}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
      "",
      "",
    ].join("\r\n");

  async function open(): Promise<WebSocket> {
    const socket = new WebSocket(app.socketUrl);
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return socket;
  }

  const closed = (socket: WebSocket) => new Promise<number>((resolve) => socket.once("close", resolve));
  const message = (socket: WebSocket) =>
    new Promise<string>((resolve) => socket.once("message", (data) => resolve(data.toString())));
  const meQuery = (id: number) => ({ id, method: "query", params: { path: "auth.me" } });

  describe("an upgrade", () => {
    // Who serves the worker reads the request's head, and has words of its own for these.
    const read = "the head of a request is read before the worker";
    const before = ["a double slash for a path", "no path", "a host that is none", "a line that is not HTTP"];

    test.for<[string, string, number]>([
      ["a double slash for a path", upgrade("//"), 400],
      ["a double slash before the path", upgrade("//trpc"), 404],
      ["no path", upgrade("http:///"), 400],
      ["a host that is none", upgrade("/trpc", [], "["), 400],
      ["no host", upgrade("/trpc", [], ""), 400],
      ["a host that is not ours", upgrade("/trpc", [], "evil.example"), 403],
      ["another page's origin", upgrade("/trpc", ["Origin: https://evil.example"]), 403],
      ["another path", upgrade("/elsewhere"), 404],
      ["200 KB of headers", upgrade("/trpc", [`X-Long: ${"x".repeat(200_000)}`]), 431],
      ["a line that is not HTTP", "\0\x01nonsense\r\n\r\n", 400],
      ["no websocket key", upgrade("/trpc").replace(/Sec-WebSocket-Key.*\r\n/, ""), 400],
    ])("with %s is answered in HTTP", async ([name, bytes, status], { skip }) => {
      skip(database === "workerd" && before.includes(name), read);
      expect(await raw(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    });
  });

  test("an upgrade with a broken percent code opens a socket all the same", async () => {
    const socket = new WebSocket(`${app.socketUrl}?connectionParams=%zz&%`);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    socket.terminate();
  });

  test("a request that offers another protocol is answered in this one", async () => {
    const offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n";
    const body = '{"json":{"identifier":"","password":""}}';
    const head = (line: string) => `${line} HTTP/1.1\r\nHost: localhost\r\n${offer}`;
    expect(await raw(`${head("GET /live")}Connection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 200 /);
    const post = `${head("POST /trpc/auth.login")}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answer = await rawUntil(post, "invalid_input");
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
  });

  describe("a socket", () => {
    test("that sends 131,072 fragments is closed", async ({ skip }) => {
      skip(database === "workerd", "the runtime puts a message together, and hands over none that is too long");
      const socket = await open();
      const gone = closed(socket);
      socket.on("error", () => {});
      socket.send("[", { fin: false });
      for (let count = 0; count < 131_072 && socket.readyState === WebSocket.OPEN; count++) socket.send("1,", { fin: false });
      expect([1006, 1008, 1009]).toContain(await gone);
    });

    test("that sends more than 64 KiB in a frame is closed", async () => {
      const socket = await open();
      const gone = closed(socket);
      socket.on("error", () => {});
      socket.send("x".repeat(65 * 1024));
      expect([1006, 1009]).toContain(await gone);
    });

    test("that sends binary is closed", async () => {
      const socket = await open();
      const gone = closed(socket);
      socket.send(Buffer.from([1, 2, 3]));
      expect(await gone).toBe(1003);
    });

    test("that asks for 1,000 things in a frame is refused each of them", async () => {
      const socket = await open();
      const answers: { id: number; error: { json: { data: { reason: string } } } }[] = [];
      // The worker asks in between how much has been read.
      socket.on("message", (data) => {
        if (data.toString() === "PING") socket.send("PONG");
        else answers.push(JSON.parse(data.toString()));
      });
      socket.send(JSON.stringify(Array.from({ length: 1_000 }, (_, index) => meQuery(index + 1))));
      await expect.poll(() => answers.length).toBe(1_000);
      expect(new Set(answers.map(({ error }) => error.json.data.reason))).toEqual(new Set(["payload_too_large"]));
      socket.terminate();
    });

    test.each([
      ["no JSON", "{"],
      ["a number", "1"],
      ["nothing", "null"],
      ["a deep nest", "[".repeat(30_000)],
      ["no method", '{"id":1}'],
      ["a path of the prototype", '{"id":1,"method":"query","params":{"path":"__proto__.constructor"}}'],
      ["parameters that are none", '{"id":1,"method":"query","params":null}'],
    ])("that sends %s gets a typed error", async (_, frame) => {
      const socket = await open();
      const answer = message(socket);
      socket.send(frame);
      expect(JSON.parse(await answer)).toMatchObject({
        error: { json: { data: { reason: expect.stringMatching(/invalid_input|not_found/) } } },
      });
      socket.terminate();
    });
  });

  describe("a request", () => {
    const post = (body: BodyInit, headers: Record<string, string> = { "content-type": "application/json" }) =>
      fetch(`${app.url}/trpc/auth.login`, { method: "POST", body, headers });
    const reasonOf = async (response: Response) => (await response.json()).error.json.data.reason;

    test("of 50 MB is refused before it is read", async () => {
      const size = 50 * 1024 * 1024;
      const head = `POST /trpc/auth.login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`;
      expect(await raw(head)).toMatch(/^HTTP\/1.1 413 [\s\S]*payload_too_large/);
    });

    const bigint = (digits: number) => `{"json":"${"9".repeat(digits)}","meta":{"values":["bigint"]}}`;

    test("with a bigint of four million digits is refused before it is read", async ({ skip }) => {
      skip(database === "workerd", "the runtime may cut off who still sends what nobody reads");
      expect(await reasonOf(await post(bigint(4_000_000)))).toBe("payload_too_large");
    });

    test("with a bigint that fits costs nothing", async () => {
      expect(await reasonOf(await post(bigint(1_000_000)))).toBe("invalid_input");
    });

    test("with 10,000 calls in a batch is refused", async () => {
      const paths = Array.from({ length: 10_000 }, () => "auth.me").join(",");
      const response = await fetch(`${app.url}/trpc/${paths}?batch=1`);
      expect([400, 413, 431]).toContain(response.status);
      const few = await fetch(`${app.url}/trpc/${Array.from({ length: 21 }, () => "auth.me").join(",")}?batch=1`);
      expect(few.status).toBe(400);
    });

    test("with a form never runs a mutation", async () => {
      const form = new FormData();
      form.set("email", "a@example.com");
      expect(await reasonOf(await post(form, {}))).toBe("unsupported_media_type");
    });

    test("in a deep nest is refused", async () => {
      expect(await reasonOf(await post(`{"json":${"[".repeat(200_000)}`))).toBe("invalid_input");
      expect(await reasonOf(await post(`{"json":${"[".repeat(200_000)}${"]".repeat(200_000)}}`))).toBe("invalid_input");
    });

    test("that is never finished does not keep others waiting", async () => {
      const socket = connect(Number(new URL(app.url).port), "127.0.0.1");
      socket.write(
        "POST /trpc/auth.login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
      );
      expect((await fetch(`${app.url}/live`)).status).toBe(200);
      socket.destroy();
    });
  });

  describe("a file to import", () => {
    const conversation = '{"id":"01a1fd8a-0000-7000-8000-000000000000","title":"A talk"}';
    const importing = async (messages: string) => {
      const { token } = await app.person();
      const data = `{"format":"parley.conversation","version":1,"conversation":${conversation},"messages":${messages}}`;
      return fetch(`${app.url}/trpc/chat.conversations.import`, {
        method: "POST",
        body: `{"json":{"data":${data}}}`,
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      });
    };

    test.each([
      ["a mebibyte of lists", "[".repeat(500_000) + "]".repeat(500_000)],
      ["2,000 messages that are none", `[${Array(2_000).fill("{}").join(",")}]`],
      ["100,000 parts", `[{"parts":[${Array(100_000).fill("{}").join(",")}]}]`],
      ["a prototype", '[{"__proto__":{"metadata":{}}}]'],
    ])("with %s is refused in a few words", async (_, messages) => {
      const response = await importing(messages);
      const answer = await response.text();
      expect(answer.length).toBeLessThan(10_000);
      const { reason, issues } = JSON.parse(answer).error.json.data;
      expect({ reason, path: issues[0].path }).toEqual({ reason: "invalid_input", path: expect.stringMatching(/^data\./) });
    });
  });
});
