import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { listenLocally } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestApp, testApp } from "../../server/test/kit.ts";
import { clientPlaces } from "../../server/test/workerd.ts";
import { commands } from "../src/commands.ts";
import { type Home, home } from "./kit.ts";

// Node's fetch forgets such a request now and then: the process had nothing left to do, and said nothing.
test("a server that closes every connection as it opens was not reached", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    setImmediate(() => socket.destroy());
  });
  const { url } = await listenLocally(server);
  await using mine = await home(url);
  const asked = await Promise.all(Array.from({ length: 5 }, () => mine.run(["models"], { env: { PARLEY_TOKEN: "plk_nobody" } })));
  for (const { code, out, err } of asked) {
    expect({ code, out }).toEqual({ code: 4, out: "" });
    expect(err).toMatch(/^parley: .* \(not_reached\)\n$/);
  }
  server.close();
});

describe.each(clientPlaces)("on %s", (place) => {
  let app: TestApp;
  let mine: Home;
  let conversation: string;
  beforeAll(async () => {
    app = await testApp({ database: place });
    mine = await home(app.url);
    await mine.signUp();
    const asked = await mine.json<{ conversationId: string }>(["ask", "A needle, שלום"]);
    conversation = asked.conversationId;
  });
  afterAll(async () => {
    await mine?.[Symbol.asyncDispose]();
    await app?.stop();
  });

  describe("wrong usage is told in one line", () => {
    const id = crypto.randomUUID();
    test.each([
      { args: ["nonsense"], says: 'There is no command "nonsense": `parley help` lists them' },
      { args: ["help", "nonsense"], says: 'There is no command "nonsense": `parley help` lists them' },
      { args: ["logn"], says: 'There is no command "logn"; do you mean "login"?: `parley help` lists them' },
      { args: ["help", "logn"], says: 'There is no command "logn"; do you mean "login"?: `parley help` lists them' },
      { args: ["ask"], says: "`parley ask` takes a question, as an argument or from a pipe" },
      { args: ["ask", "--nonsense", "x"], says: "Unknown option '--nonsense'" },
      {
        args: ["ask", "x", "--conversation", id, "--continue"],
        says: "--conversation, --continue and --system exclude each other",
      },
      { args: ["ask", "x", "--model"], says: "Option '-m, --model <value>' argument missing" },
      { args: ["attach"], says: "`parley attach` takes RUN" },
      { args: ["attach", "a", "b"], says: "`parley attach` takes RUN, and no more" },
      { args: ["models", "more"], says: "`parley models` takes no arguments" },
      { args: ["messages", id, "--limit", "0"], says: '--limit takes a whole number, not "0"' },
      { args: ["messages", id, "--limit", "many"], says: '--limit takes a whole number, not "many"' },
      { args: ["export", id, "--format", "pdf"], says: '--format is markdown or json, not "pdf"' },
      { args: ["sessions", "end"], says: "`parley sessions end` takes the id of a session, or --others" },
      { args: ["sessions", "end", "x", "--others"], says: "`parley sessions end` takes the id of a session, or --others" },
      {
        args: ["keys", "create", "x", "--expires", "soon"],
        says: '--expires takes days (30d) or a date (2027-01-31), not "soon"',
      },
      { args: ["metrics", "--range", "1y"], says: '--range is 1h, 24h or 7d, not "1y"' },
      { args: ["completion", "powershell"], says: 'There is no completion for "powershell": bash, zsh and fish have one' },
      { args: ["models", "--url", "ftp://example.com"], says: '"ftp://example.com" is not an http or https address' },
      { args: ["models", "--url", "http://"], says: '"http://" is not the address of a server' },
    ])("$args", async ({ args, says }) => {
      expect(await mine.run(args)).toEqual({ code: 2, out: "", err: `parley: ${says} (usage)\n` });
    });
  });

  describe("what the server refuses is told with its reason", () => {
    test.each([
      { args: ["attach", crypto.randomUUID()], reason: "not_found" },
      { args: ["attach", "no id"], reason: "invalid_input" },
      { args: ["messages", crypto.randomUUID()], reason: "not_found" },
      { args: ["export", crypto.randomUUID()], reason: "not_found" },
      { args: ["ask", "x", "--model", "nobody"], reason: "model_unknown" },
      { args: ["ask", "x".repeat(10_001)], reason: "invalid_input" },
      { args: ["keys", "create", "x", "--scope", "everything"], reason: "invalid_input" },
      { args: ["keys", "revoke", crypto.randomUUID()], reason: "not_found" },
      { args: ["sessions", "end", crypto.randomUUID()], reason: "not_found" },
    ])("$args.0 $reason", async ({ args, reason }) => {
      const { code, out, err } = await mine.run(args);
      expect({ code, out }, err).toEqual({ code: 1, out: "" });
      expect(err).toMatch(new RegExp(`^parley: .+ \\(${reason}, [\\w-]+\\)\\n$`));
      const json = await mine.run([...args, "--json"]);
      expect(JSON.parse(json.err).error.reason).toBe(reason);
    });

    test("whoever has no right to the figures is told so", async () => {
      // The first account is the operator's.
      expect((await mine.run(["metrics"])).code).toBe(0);
      await using other = await home(app.url);
      await other.signUp();
      const { code, err } = await other.run(["metrics"]);
      expect(code, err).toBe(1);
      expect(err).toMatch(/\(forbidden, [\w-]+\)\n$/);
    });
  });

  describe("lists", () => {
    test("have one line an entry on a pipe, and all of it as JSON", async () => {
      const { out } = await mine.run(["conversations"]);
      const line = out.split("\n").find((each) => each.startsWith(conversation));
      expect(line?.split("\t")).toEqual([conversation, expect.stringMatching(/^\d{4}-.*Z$/), "2", "A needle, שלום"]);
      expect((await mine.json<{ items: { id: string }[] }>(["conversations", "list"])).items[0]).toMatchObject({
        id: conversation,
      });
      expect((await mine.run(["search", "needle"])).out).toContain(conversation);
      expect((await mine.run(["models"])).out.split("\t").slice(0, 3)).toEqual(["*", "demo", "demo"]);
      expect((await mine.run(["messages", conversation])).out).toContain("A needle, שלום");
      expect((await mine.run(["messages", conversation, "-n", "1"])).out).not.toMatch(/^A needle/m);
    });

    test("are exported as they are stored", async () => {
      expect((await mine.run(["export", conversation])).out).toMatch(/^# A needle/);
      const file = JSON.parse((await mine.run(["export", conversation, "--format", "json"])).out);
      expect(file).toMatchObject({
        format: "parley.conversation",
        messages: [{ content: "A needle, שלום" }, { role: "assistant" }],
      });
      expect((await mine.run(["export", conversation, "-o", "kept.md"])).code).toBe(0);
      const again = await mine.run(["export", conversation, "-o", "kept.md"]);
      expect({ code: again.code, err: again.err }).toEqual({ code: 1, err: expect.stringContaining("(EEXIST)") });
    });
  });

  test("what every command takes may stand before it", async () => {
    for (const front of [
      ["--json", "--url", app.url],
      [`--url=${app.url}`, "--json"],
    ]) {
      const { code, out } = await mine.run([...front, "whoami"], { env: { PARLEY_URL: "http://127.0.0.1:9" } });
      expect({ code, url: JSON.parse(out).url }).toEqual({ code: 0, url: app.url });
    }
  });

  test("what cannot be printed as JSON is wrong usage", async () => {
    const refused = ["help --json", "--json help", "--json", "help ask --json", "ask --help --json", "completion bash --json"];
    for (const line of [...refused, `export ${conversation} --json -f markdown`]) {
      const { code, out, err } = await mine.run(line.split(" "));
      expect({ code, out, reason: JSON.parse(err).error.reason }, line).toEqual({ code: 2, out: "", reason: "usage" });
    }
  });

  test.runIf(existsSync("/dev/full"))("output that the disk does not take is a failure", async () => {
    for (const command of [`export ${conversation}`, `export ${conversation} -f json`, "models", "help"]) {
      const { code, err } = await mine.run([], { shell: `parley ${command} > /dev/full` });
      expect({ code, err }, command).toEqual({ code: 1, err: expect.stringMatching(/^parley: .+ENOSPC.+\n$/) });
    }
  });

  test("every command says what it does, without a server", async () => {
    const env = { PARLEY_URL: "http://127.0.0.1:9" };
    const overview = await mine.run(["--help"], { env });
    for (const { name, summary } of commands) {
      expect(overview.out).toContain(summary);
      const { code, out } = await mine.run([...name.split(" "), "--help"], { env });
      expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(`Usage: parley ${name}`) });
    }
  });
});
