import { createServer } from "node:http";
import { breakingProxy, listenLocally, scriptedProvider } from "@parley/testing";
import { describe, expect, test } from "vitest";
import { testApp } from "../../server/test/kit.ts";
import { clientPlaces } from "../../server/test/workerd.ts";
import { home, saidTo } from "./kit.ts";
import { scriptedStage } from "./scripted-stage.ts";

interface Asked {
  runId: string;
  messageId: string;
  conversationId: string;
  text: string;
  status: string;
}

const words = "Grüße, שלום, مرحبا, 你好, 👩‍👩‍👧 … ";
describe.each(clientPlaces)("on %s", (place) => {
  const stage = scriptedStage(place);
  const { next, answerWith } = stage;

  const listOf = async (conversationId: string) =>
    (
      await stage.mine.json<{ items: { role: string; content: string; status: string; id: string }[] }>([
        "messages",
        conversationId,
      ])
    ).items;

  describe("asking", () => {
    test("prints the answer as it is, and one line end", async () => {
      const asking = stage.mine.run(["ask", "What", "now?"]);
      const { request } = await answerWith(words, "**as it is**\n", "\u001b[31m");
      expect(saidTo(request).at(-1)).toBe("What now?");
      expect(await asking).toEqual({ code: 0, out: `${words}**as it is**\n\u001b[31m\n`, err: "" });
    });

    test.each([
      ["the words alone", 'parley ask "Why?"', "Why?"],
      ["what is piped alone", "printf 'from a pipe\n' | parley ask", "from a pipe"],
      ["the words, then what is piped", "printf 'a\nb\n' | parley ask Summarise:", "Summarise:\n\na\nb"],
      ["what a file holds", "printf 'in a file' > f; parley ask Read: < f", "Read:\n\nin a file"],
      ["what begins with a dash", "parley ask -- --why", "--why"],
    ])("takes %s", async (_name, shell, question) => {
      const asking = stage.mine.run([], { shell });
      const { request } = await answerWith("Because.");
      expect(saidTo(request).at(-1)).toBe(question);
      expect(await asking).toEqual({ code: 0, out: "Because.\n", err: "" });
    });

    test("with --json prints what is stored, and goes on where it is told to", async () => {
      const asking = stage.mine.json<Asked>(["ask", "first", "--system", "You are terse.", "--model", "scripted-2"]);
      const { request } = await answerWith(words, words);
      expect(request).toMatchObject({ system: "You are terse.", model: "scripted-2" });
      const asked = await asking;
      expect(asked).toMatchObject({ status: "completed", text: words + words, model: { model: "scripted-2" } });
      const continued = stage.mine.run(["ask", "--continue", "second", "--no-stream"]);
      await answerWith("two");
      expect(await continued).toEqual({ code: 0, out: "two\n", err: "" });
      const named = stage.mine.json<Asked>(["ask", "--conversation", asked.conversationId, "third"]);
      await answerWith("three");
      expect((await named).conversationId).toBe(asked.conversationId);
      expect((await listOf(asked.conversationId)).map(({ content }) => content)).toEqual([
        "first",
        words + words,
        "second",
        "two",
        "third",
        "three",
      ]);
    });

    test("with --events prints each event as a line", async () => {
      const asking = stage.mine.run(["ask", "x", "--events"]);
      await answerWith("one", "two");
      const events = (await asking).out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(events[0].type).toBe("run-start");
      expect(events.at(-1)).toMatchObject({ type: "run-end", status: "completed" });
      expect(
        events
          .filter(({ type }) => type === "text-delta")
          .map(({ text }) => text)
          .join(""),
      ).toBe("onetwo");
    });

    test("Ctrl-C stops the answer for everybody, and keeps what there is", async () => {
      const asking = stage.mine.start(["ask", "x", "--model", "scripted"]);
      const stream = await next();
      stream.text("half an ");
      await expect.poll(asking.out).toBe("half an ");
      asking.child.kill("SIGINT");
      expect(await asking.ended).toEqual({ code: 130, out: "half an \n", err: "" });
      await expect.poll(() => stream.signal.aborted).toBe(true);
      const { items } = await stage.mine.json<{ items: { id: string }[] }>(["conversations", "-n", "1"]);
      expect((await listOf(items[0]?.id ?? "")).at(-1)).toMatchObject({ status: "stopped", content: "half an " });
    });

    test("what was left to be written is followed from its beginning, as often as one likes", async () => {
      const { runId, conversationId, messageId } = await stage.mine.json<Asked>(["ask", "x", "--detach"]);
      const attached = stage.mine.start(["attach", runId]);
      const stream = await next();
      stream.text(words);
      await expect.poll(attached.out).toBe(words);
      attached.child.kill("SIGINT");
      expect((await attached.ended).code).toBe(130);
      expect(stream.signal.aborted).toBe(false);
      const again = stage.mine.run(["attach", runId]);
      stream.text("the end").end();
      expect(await again).toEqual({ code: 0, out: `${words}the end\n`, err: "" });
      const stored = (await listOf(conversationId)).find(({ id }) => id === messageId);
      expect((await stage.mine.json<Asked>(["attach", runId])).text).toBe(stored?.content);
      expect((await stage.mine.run(["ask", "y", "--detach"])).out).toMatch(/^[\da-f-]{36}\n$/);
      (await next()).end();
    });

    test("an answer that was stopped elsewhere is told from a whole one", async () => {
      const asking = stage.mine.start(["ask", "x"]);
      (await next()).text("half");
      await expect.poll(asking.out).toBe("half");
      const { items } = await stage.mine.json<{ items: { id: string }[] }>(["conversations", "-n", "1"]);
      const listed = await stage.mine.json<{ items: { runId: string }[] }>(["messages", items[0]?.id ?? ""]);
      expect((await stage.mine.run(["stop", listed.items.at(-1)?.runId ?? ""])).code).toBe(0);
      const { code, out, err } = await asking.ended;
      expect({ code, out }).toEqual({ code: 5, out: "half\n" });
      expect(err).toBe("parley: The answer was stopped (stopped)\n");
    });

    test("an answer without a word is a failure with its reason", async () => {
      const failing = { ...scriptedProvider().provider, stream: () => Promise.reject(new Error("The vendor is gone")) };
      await using own = await testApp({ database: place, providers: [failing] });
      await using far = await home(own.url);
      await far.signUp();
      const { code, err } = await far.run(["ask", "x", "--json"]);
      expect(code).toBe(1);
      expect(JSON.parse(err)).toMatchObject({
        error: { reason: expect.stringMatching(/^provider_/), message: expect.any(String) },
      });
    });
  });

  describe("on a bad line", () => {
    test("nothing is lost or doubled", { timeout: 60_000 }, async () => {
      await using own = await testApp({ database: place });
      const proxy = await breakingProxy(own.url);
      await using far = await home(proxy.url);
      await far.signUp();
      const question = words.repeat(60);
      const { code, out, err } = await far.run(["ask"], { input: question });
      expect(proxy.broken()).toBeGreaterThan(1);
      const { items } = await far.json<{ items: { id: string }[] }>(["conversations", "-n", "1"]);
      const stored = await far.json<{ items: { role: string; content: string }[] }>(["messages", items[0]?.id ?? ""]);
      proxy.close();
      expect({ code, out, err }).toEqual({ code: 0, out: `${stored.items.at(-1)?.content}\n`, err: "" });
      expect(stored.items.map(({ role }) => role)).toEqual(["user", "assistant"]);
    });

    test("a server that is not there, and one that is another, are told at once", async () => {
      const other = createServer((_request, response) => response.end("<html>Something else</html>"));
      const { url } = await listenLocally(other);
      const foreign = await stage.mine.run(["models", "--url", url]);
      expect(foreign).toMatchObject({ code: 4, out: "", err: expect.stringMatching(/not a Parley server \(not_reached\)\n$/) });
      other.close();
      other.closeAllConnections();
      for (const args of [["ask", "x"], ["models"], ["attach", crypto.randomUUID()]]) {
        const { code, err } = await stage.mine.run([...args, "--url", url]);
        expect({ code, err }).toEqual({
          code: 4,
          err: `parley: There is no server at ${url} (ECONNREFUSED) (not_reached)\n`,
        });
      }
    });

    test("whoever reads the output may leave", async () => {
      const shell = "parley ask x | head -c 3; exit $PIPESTATUS";
      const asking = stage.mine.start([], { shell });
      const stream = await next();
      stream.text("abc");
      await expect.poll(asking.out).toBe("abc");
      // One write finds the pipe closed, if the first one came before it was.
      for (let tries = 0; tries < 50 && asking.child.exitCode === null; tries++) {
        stream.text("more");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      stream.end();
      expect(await asking.ended).toEqual({ code: 141, out: "abc", err: "" });
    });
  });
});
