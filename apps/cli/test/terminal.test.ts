import { createServer } from "node:http";
import { listenLocally } from "@parley/testing";
import { describe, expect, test } from "vitest";
import { clientPlaces } from "../../server/test/workerd.ts";
import { hasTerminal, password } from "./kit.ts";
import { scriptedStage } from "./scripted-stage.ts";

describe.runIf(hasTerminal).each(clientPlaces)("on a terminal, with the server on %s", (place) => {
  const stage = scriptedStage(place);
  const { next, answerWith } = stage;

  test("a password is not shown while it is typed", async () => {
    const { email, password } = await stage.app.person();
    const asked = stage.mine.onTerminal("login");
    await expect.poll(asked.out).toContain("E-mail address or username: ");
    asked.type(`${email}\r`);
    await expect.poll(asked.out).toContain("Password: ");
    asked.type(`${password}\r`);
    const { code, out } = await asked.ended;
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining("Signed in at") });
    expect(out).not.toContain(password);
  });

  test("an answer cannot steer it, neither once it is whole nor when it is exported", async () => {
    const asking = stage.mine.onTerminal("ask", "x", "--no-stream");
    await answerWith("a \u001b]0;title\u0007 and \u009b2J no more");
    const asked = await asking.ended;
    const { items } = await stage.mine.json<{ items: { id: string }[] }>(["conversations"]);
    const exported = await stage.mine.onTerminal("export", items[0]?.id ?? "").ended;
    for (const { code, out } of [asked, exported]) {
      expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining("a ]0;title and 2J no more") });
    }
  });

  test("JSON cannot steer it either, nor can a name", async () => {
    const asking = stage.mine.onTerminal("ask", "x", "--json");
    await answerWith("\u009b2J\u007f");
    const asked = await asking.ended;
    expect(asked.out).toContain("\\u009b2J\\u007f");
    const refused = await stage.mine.onTerminal("models", "--\u009b2J", "--json").ended;
    expect(refused.out).toContain("\\u009b2J");
    const account = ["register", "--email", "named@example.com", "--name", "a\u009b2J\u001b[2Jb", "--password-stdin"];
    await stage.mine.run(account, { input: password });
    const named = await stage.mine.onTerminal("whoami").ended;
    expect(named.out).toContain("a2J[2Jb <");
    for (const { out } of [asked, refused, named]) for (const sent of ["\u009b", "\u001b[2J"]) expect(out).not.toContain(sent);
  });

  test("Ctrl-C twice gives it back as it was, though the server says nothing", async () => {
    const silent = createServer(() => {});
    const { url } = await listenLocally(silent);
    const watching = stage.mine.onTerminal("metrics", "--watch", "--url", url);
    await expect.poll(watching.out).toContain("\u001b[?1049h\u001b[?25l");
    watching.type("\u0003");
    await expect.poll(watching.out).toContain("Ctrl-C again leaves at once");
    watching.type("\u0003");
    const { code, out } = await watching.ended;
    silent.close();
    silent.closeAllConnections();
    expect({ code, end: out.slice(-14) }).toEqual({ code: 130, end: "\u001b[?25h\u001b[?1049l" });
  });

  test("a proxy without its server is told while it is tried again", async () => {
    const proxy = createServer((_request, response) => response.writeHead(502).end("<html>Bad Gateway</html>"));
    const { url } = await listenLocally(proxy);
    const attached = stage.mine.onTerminal("attach", crypto.randomUUID(), "--url", url);
    await expect.poll(attached.out, { timeout: 5_000 }).toContain("does not answer: trying again");
    attached.type("\u0003");
    expect((await attached.ended).code).toBe(130);
    proxy.close();
    proxy.closeAllConnections();
  });

  test("Ctrl-C promises nothing that it does not do", async () => {
    const { runId } = await stage.mine.json<{ runId: string }>(["ask", "x", "--detach"]);
    const attached = stage.mine.onTerminal("attach", runId);
    const stream = await next();
    stream.text("half");
    await expect.poll(attached.out).toContain("half");
    attached.type("\u0003");
    const { code, out } = await attached.ended;
    expect({ code, out }).toEqual({ code: 130, out: expect.stringContaining("Ctrl-C again leaves at once") });
    expect(out).not.toContain("Stopping");
    stream.end();
  });
});
