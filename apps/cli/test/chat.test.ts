import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { clientPlaces } from "../../server/test/workerd.ts";
import { hasTerminal, saidTo } from "./kit.ts";
import { scriptedStage } from "./scripted-stage.ts";

describe.each(clientPlaces)("on %s", (place) => {
  const stage = scriptedStage(place);
  const { next, answerWith } = stage;

  test("from a pipe: each line is a message, several are one where they say so", async () => {
    const talking = stage.mine.run(["chat"], {
      input: 'first\nsecond \\\nof two lines\n"""\na\n\nb\n"""\n/nonsense\n/new\nanew\n/quit\nnever\n',
    });
    const contents: string[][] = [];
    for (let turn = 1; turn <= 4; turn++) {
      const { request } = await answerWith(`answer ${turn}`);
      contents.push(saidTo(request));
    }
    const { code, out, err } = await talking;
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(contents[2]).toEqual(["first", "answer 1", "second \nof two lines", "answer 2", "a\n\nb"]);
    expect(contents[3]).toEqual(["anew"]);
    expect(out).toMatch(/^answer 1\nanswer 2\nanswer 3\nThere is no \/nonsense.*\nA new conversation\nanswer 4\n$/);
  });

  test("an answer that fails, and a model that nobody knows, do not end it", async () => {
    const talking = stage.mine.run(["chat"], { input: "/model nobody\n/model scripted-2\nx\n" });
    const { request } = await answerWith("fine");
    expect(request.model).toBe("scripted-2");
    const { code, out } = await talking;
    expect(code).toBe(0);
    expect(out).toContain("(model_unknown)");
    expect(out).toMatch(/fine\n$/);
  });

  test.runIf(hasTerminal)(
    "on a terminal: Ctrl-C and /stop stop the answer and not the chat; markdown is drawn; the history is kept",
    async () => {
      const talking = stage.mine.onTerminal("chat");
      const { type } = talking;
      await expect.poll(talking.out).toContain("> ");
      type("first\r");
      const first = await next();
      first.text("a **bold** word, \u001b]0;title\u0007");
      await expect.poll(talking.out).toContain("\u001b[1mbold\u001b[22m");
      expect(talking.out()).not.toContain("\u001b]0;");
      type("\u0003");
      await expect.poll(() => first.signal.aborted).toBe(true);
      await expect.poll(talking.out).toContain("(stopped)");
      type("second\r");
      const second = await next();
      second.text("half");
      await expect.poll(talking.out).toContain("half");
      type("/stop\r");
      await expect.poll(() => second.signal.aborted).toBe(true);
      type("\u001b[200~pasted\rlines\u001b[201~\r");
      const { request } = await answerWith("done");
      expect(saidTo(request).at(-1)).toBe("pasted\nlines");
      await expect.poll(talking.out).toContain("done");
      type("\u0004");
      expect((await talking.ended).code).toBe(0);
      const file = path.join(stage.mine.folder, "config/history.json");
      expect(JSON.parse(await readFile(file, "utf8"))).toContain("first");
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    },
  );
});
