import { createParley, type Parley } from "@parley/client";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { clientPlaces } from "../../../apps/server/test/workerd.ts";
import { hasBrowser, type OpenBrowser, openBrowser } from "./browser-kit.ts";
import { Consumer } from "./consumer.ts";
import { hostPage, type PageHost } from "./page-host.ts";
import { type StartedServer, startServer } from "./workspace.ts";

const password = "Correct-horse-1";

/** What `consumer/tabs.mjs` leaves for us. */
interface Told {
  parley: Parley;
  heard: string[];
  told: string[];
  states: string[];
  follow(): void;
}
declare const page: Told;

const statesOf = (tab: Page) => tab.evaluate(() => page.states);
const beginningsOf = async (tab: Page) => (await statesOf(tab)).filter((state) => state === "started").length;
const heardBy = (tab: Page) => tab.evaluate(() => page.heard.filter((text) => text.startsWith("word")));
const toldTo = (tab: Page) => tab.evaluate(() => page.told);
const eventually = <Value>(read: () => Promise<Value> | Value, wanted: Value) =>
  vi.waitFor(async () => expect(await read()).toEqual(wanted), { timeout: 30_000, interval: 50 });

let consumer: Consumer;

beforeAll(async () => {
  consumer = await Consumer.create();
}, 240_000);

afterAll(() => consumer?.[Symbol.asyncDispose]());

describe.skipIf(!hasBrowser).each(clientPlaces)("the tabs of a browser, with the server on %s", { timeout: 90_000 }, (place) => {
  let server: StartedServer;
  let host: PageHost;
  let browser: OpenBrowser;
  let context: BrowserContext;
  /** The same person on another device. */
  let elsewhere: Parley;
  let account: { email: string; password: string };

  beforeAll(async () => {
    server = await startServer(consumer.folder, place);
    host = await hostPage(await consumer.page("tabs.mjs"), server.url);
    browser = await openBrowser();
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await host?.[Symbol.asyncDispose]();
    await server?.stop();
  });

  beforeEach(async () => {
    context = await browser.device();
    account = { email: `${crypto.randomUUID()}@example.com`, password };
    elsewhere = createParley({ url: server.url });
    await elsewhere.auth.register(account);
  });

  afterEach(async () => {
    await context.close();
    await elsewhere.close();
    await eventually(() => host.open(), 0);
  });

  async function openTab(search = ""): Promise<Page> {
    const tab = await context.newPage();
    await tab.goto(`${host.url}/${search}`);
    return tab;
  }

  const signIn = (tab: Page, given = account) =>
    tab.evaluate(async ({ email: identifier, password }) => {
      await page.parley.auth.signIn({ identifier, password });
    }, given);

  /** Tabs that hear what is live, the first of them for all. */
  async function openTabs(count: number): Promise<[Page, ...Page[]]> {
    const first = await openTab();
    await signIn(first);
    const others: Page[] = [];
    while (others.length < count - 1) others.push(await openTab());
    for (const tab of [first, ...others]) {
      await tab.evaluate(() => page.follow());
      await eventually(() => statesOf(tab), ["started"]);
    }
    return [first, ...others];
  }

  async function openTwoTabs(): Promise<[Page, Page]> {
    const [first, second = first] = await openTabs(2);
    return [first, second];
  }

  const say = (word: string) => elsewhere.chat.send(word, { answer: false });

  test("have one connection for what is live, and each hears everything once", async () => {
    const tabs = await openTabs(3);
    expect(host.open()).toBe(1);
    await say("word 1");
    await say("word 2");
    for (const tab of tabs) await eventually(() => heardBy(tab), ["word 1", "word 2"]);
    expect(host.open()).toBe(1);
  });

  test("go on when the one that spoke is closed, and miss nothing", async () => {
    const [first, ...others] = await openTabs(3);
    await say("word 1");
    for (const tab of others) await eventually(() => heardBy(tab), ["word 1"]);
    await first.close();
    for (const word of ["word 2", "word 3", "word 4"]) await say(word);
    for (const tab of others) await eventually(() => heardBy(tab), ["word 1", "word 2", "word 3", "word 4"]);
    await eventually(() => host.open(), 1);
  });

  test("do without the one that spoke when it sleeps: nothing is missed, and it hears the rest when it wakes", async () => {
    const [first] = await openTabs(1);
    await say("word 1");
    await eventually(() => heardBy(first), ["word 1"]);
    const second = await openTab();
    await second.evaluate(() => page.follow());
    await eventually(() => statesOf(second), ["started"]);
    const debug = await context.newCDPSession(first);
    await debug.send("Debugger.enable");
    await debug.send("Debugger.pause");
    void first.evaluate(() => 0).catch(() => {});
    await say("word 2");
    await second.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await eventually(() => heardBy(second), ["word 2"]);
    await debug.send("Debugger.resume");
    await say("word 3");
    await eventually(() => heardBy(second), ["word 2", "word 3"]);
    await eventually(() => heardBy(first), ["word 1", "word 2", "word 3"]);
    expect(await statesOf(first)).not.toContain("ended");
    await eventually(() => host.open(), 1);
  });

  test("hear nothing of the account before", async () => {
    const [first, second] = await openTwoTabs();
    const other = { email: `${crypto.randomUUID()}@example.com`, password };
    const stranger = createParley({ url: server.url });
    await stranger.auth.register(other);
    await signIn(first, other);
    for (const tab of [first, second])
      await eventually(() => toldTo(tab), tab === first ? ["begun", "signed_out", "begun"] : ["signed_out", "begun"]);
    await eventually(() => beginningsOf(second), 2);
    await say("word of the first");
    await stranger.chat.send("word of the other", { answer: false });
    for (const tab of [first, second]) await eventually(() => heardBy(tab), ["word of the other"]);
    await stranger.close();
  });

  test("keep the sign-in of another tab when their own session is ended", async () => {
    const [tab] = await openTabs(1);
    const { tokens, user } = await elsewhere.api.auth.login.mutate({ identifier: account.email, password });
    // As another tab writes it, before this one hears of it.
    await tab.evaluate(
      ({ accessToken = "", refreshToken = "" }) => {
        const expiresAt = Date.now() + 600_000;
        localStorage.setItem("parley", JSON.stringify({ accessToken, refreshToken, expiresAt, session: "another" }));
      },
      { ...tokens },
    );
    // The last but one: after the device elsewhere, before the one that has just signed in.
    const sessions = (await elsewhere.api.session.list.query()).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    await elsewhere.api.session.end.mutate({ id: sessions[1]?.id ?? "" });
    await eventually(() => toldTo(tab), ["begun", "signed_out", "begun"]);
    expect(await tab.evaluate(async () => (await page.parley.api.auth.me.query()).user.id)).toBe(user.id);
    await eventually(() => beginningsOf(tab), 2);
  });

  test("that keep cookies renew them before anybody notices, for calls and for what is live", async () => {
    const tab = await openTab("?cookie");
    await signIn(tab);
    const name = /access$/;
    expect((await context.cookies()).filter((cookie) => name.test(cookie.name))).toHaveLength(1);
    await context.clearCookies({ name });
    expect(await tab.evaluate(() => page.parley.auth.isSignedIn())).toBe(true);
    await context.clearCookies({ name });
    await tab.evaluate(() => page.follow());
    await eventually(() => statesOf(tab), ["started"]);
    await say("word 1");
    await eventually(() => heardBy(tab), ["word 1"]);
    expect(await toldTo(tab)).toEqual(["begun"]);
  });

  test("that keep cookies hear of each other's signing in and out", async () => {
    const [first, second] = [await openTab("?cookie"), await openTab("?cookie")];
    await signIn(first);
    await eventually(() => toldTo(second), ["signed_out", "begun"]);
    await second.evaluate(() => page.parley.auth.signOut());
    await eventually(() => toldTo(first), ["begun", "signed_out"]);
  });
});
