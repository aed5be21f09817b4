import { createParley, memoryStore } from "@parley/client";
import { breakingProxy } from "@parley/testing";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { click, hasBrowser, type OpenBrowser, openBrowser, screenshot, signIn } from "./browser-kit.ts";
import { Consumer } from "./consumer.ts";
import { hostPage, type PageHost } from "./page-host.ts";
import { type StartedServer, startServer } from "./workspace.ts";

const account = { email: "ada@example.com", password: "Correct-horse-1" };
const long = "Are we there yet? ".repeat(25);

describe.skipIf(!hasBrowser)("the page of the README, in a browser", { timeout: 60_000 }, () => {
  let consumer: Consumer;
  let server: StartedServer;
  let host: PageHost;
  let browser: OpenBrowser;
  let page: Page;

  beforeAll(async () => {
    consumer = await Consumer.create();
    server = await startServer(consumer.folder);
    host = await hostPage(await consumer.page("chat.tsx"), server.url);
    browser = await openBrowser();
    await createParley({ url: server.url }).auth.register(account);
    page = await (await browser.device()).newPage();
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await host?.[Symbol.asyncDispose]();
    await server?.stop();
    await consumer?.[Symbol.asyncDispose]();
  });

  const whole = () => page.locator(".assistant").last().and(page.locator(".complete"));

  async function ask(text: string) {
    const before = await page.locator(".assistant").count();
    await page.fill("[name=text]", text);
    await click(page, "Ask");
    await page.locator(".assistant").nth(before).waitFor();
  }

  /** Some of it is there, and more is coming. */
  async function midAnswer() {
    await page.waitForFunction(() => {
      const [last] = [...document.querySelectorAll(".assistant")].slice(-1);
      return last?.classList.contains("running") && (last.textContent?.length ?? 0) > 60;
    });
  }

  /** What the page shows is what is stored, message by message. */
  async function expectStored(statuses: string[]) {
    const parley = createParley({ url: server.url, auth: { store: memoryStore() } });
    await parley.auth.signIn({ identifier: account.email, password: account.password });
    const conversationId = new URL(page.url()).hash.slice(1);
    const { items } = await parley.api.chat.messages.list.query({ conversationId });
    await parley.auth.signOut();
    const shown = await page.locator("p").evaluateAll((lines) => lines.map(({ textContent }) => textContent));
    expect(shown).toEqual(items.map(({ content }) => content));
    const answers = items.filter(({ role }) => role === "assistant");
    expect(answers.map(({ status }) => status)).toEqual(statuses);
  }

  test("signs in, asks, and shows an answer as it comes", async () => {
    await page.goto(host.url);
    await signIn(page, account);
    await ask(long);
    await midAnswer();
    await whole().waitFor();
    await expectStored(["complete"]);
  });

  test("a page that is loaded again goes on with the answer", async () => {
    await ask(long);
    await midAnswer();
    await page.reload();
    await midAnswer();
    await whole().waitFor();
    await expectStored(["complete", "complete"]);
  });

  test("an answer is stopped, and given again", async () => {
    await ask(long);
    await midAnswer();
    await click(page, "Stop");
    await page.locator(".stopped").waitFor();
    await expectStored(["complete", "complete", "stopped"]);
    await click(page, "Again");
    await midAnswer();
    await whole().waitFor();
    await expectStored(["complete", "complete", "complete"]);
  });

  test("on a bad line nothing is lost or doubled", async () => {
    const proxy = await breakingProxy(server.url);
    host.moveTo(proxy.url);
    expect(host.cut()).toBeGreaterThan(0);
    await ask(long);
    await midAnswer();
    // The proxy may have broken the last connection in this very moment.
    await expect.poll(() => host.cut()).toBeGreaterThan(0);
    await whole().waitFor();
    await expectStored(["complete", "complete", "complete", "complete"]);
    expect(proxy.broken()).toBeGreaterThan(0);
    host.moveTo(server.url);
    proxy.close();
  });

  test("a second tab sees the same, and the server may die meanwhile", async () => {
    const second = await page.context().newPage();
    await second.goto(page.url());
    await second.locator(".assistant").nth(3).waitFor();
    await ask(long);
    await midAnswer();
    await second.locator(".assistant.running").waitFor();
    await server.kill();
    server = await startServer(consumer.folder);
    host.moveTo(server.url);
    for (const tab of [page, second]) await tab.locator(".interrupted").waitFor();
    await expectStored(["complete", "complete", "complete", "complete", "interrupted"]);
    const texts = (tab: Page) => tab.locator("p").evaluateAll((lines) => lines.map(({ textContent }) => textContent));
    expect(await texts(second)).toEqual(await texts(page));
    await ask("And now?");
    await second.locator(".assistant").nth(5).and(second.locator(".complete")).waitFor();
    expect(await texts(second)).toEqual(await texts(page));
  });

  test("when one tab signs out, the other notices", async () => {
    const [, second] = page.context().pages();
    if (!second) throw new Error("There is no second tab");
    await screenshot(page, "chat");
    await click(page, "Sign out");
    for (const tab of [page, second]) await tab.getByRole("button", { name: "Sign in" }).waitFor();
    await signIn(second, account);
    for (const tab of [page, second]) await tab.locator(".assistant").nth(5).waitFor();
    expect(browser.complaints).toEqual([]);
  });
});
