import { scriptedProvider } from "@parley/testing";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Person, type TestApp, testApp } from "../../../apps/server/test/kit.ts";
import { clientPlaces } from "../../../apps/server/test/workerd.ts";
import { click, hasBrowser, holdBack, type OpenBrowser, openBrowser, screenshot, signIn } from "./browser-kit.ts";
import { Consumer } from "./consumer.ts";
import { hostPage, type PageHost } from "./page-host.ts";

const react18 = { react: "18.3.1", "react-dom": "18.3.1", "@types/react": "18.3.8", "@types/react-dom": "18.3.7" };
const patience = { timeout: 10_000 };
const { provider, next } = scriptedProvider();
let consumer: Consumer;

beforeAll(async () => {
  consumer = await Consumer.create(react18);
}, 240_000);

afterAll(() => consumer?.[Symbol.asyncDispose]());

describe.skipIf(!hasBrowser).each(clientPlaces)(
  "every hook, in a browser with React 18, with the server on %s",
  { timeout: 60_000 },
  (place) => {
    let app: TestApp;
    let host: PageHost;
    let browser: OpenBrowser;

    beforeAll(async () => {
      app = await testApp({ database: place, providers: [provider], env: { MESSAGE_MAX_LENGTH: "200" } });
      host = await hostPage(await consumer.page("hooks.tsx", "development"), app.url);
      browser = await openBrowser();
      // The first one of all is the admin, and in a room already.
      await app.person();
    }, 240_000);

    afterAll(async () => {
      await browser?.close();
      await host?.[Symbol.asyncDispose]();
      await app?.stop();
    });

    /** A tab with somebody in it. */
    async function tabOf(person: Person, device?: BrowserContext): Promise<Page> {
      const page = await (device ?? (await browser.device())).newPage();
      page.setDefaultTimeout(patience.timeout);
      await page.goto(host.url);
      if (!device) await signIn(page, person);
      await liveIs(page, "live");
      return page;
    }

    const liveIs = (page: Page, state: string) => page.getByLabel("Live").getByText(state, { exact: true }).waitFor();
    const titles = (page: Page) => page.locator("nav div button:first-child").allTextContents();
    const texts = (page: Page) => page.locator("article p").allTextContents();
    const messageOf = (page: Page, text: string) => page.locator("article", { has: page.getByText(text, { exact: true }) });
    const showsTitles = (page: Page, expected: string[]) => expect.poll(() => titles(page), patience).toEqual(expected);
    const shows = (page: Page, ...expected: string[]) => expect.poll(() => texts(page), patience).toEqual(expected);

    async function write(page: Page, text: string) {
      await page.fill("[name=text]", text);
      await click(page, "Send");
    }

    async function answerWith(text: string) {
      const stream = await next();
      stream.text(text).end();
      return stream.request;
    }

    /** Asked and answered in this tab. */
    async function talk(page: Page, question: string, answer: string) {
      await write(page, question);
      await answerWith(answer);
      await messageOf(page, answer).and(page.locator(".complete")).waitFor();
    }

    const inMessage = (page: Page, text: string, button: string) =>
      messageOf(page, text).getByRole("button", { name: button, exact: true }).click();

    async function change(page: Page, { from, how, to }: { from: string; how: "Edit" | "Branch"; to: string }) {
      await inMessage(page, from, how);
      await write(page, to);
    }

    /** A note of somebody's other device. */
    async function note({ api }: Person, conversationId: string, content: string) {
      const { message } = await api.chat.send.mutate({
        conversationId,
        content,
        answer: false,
        clientMessageId: crypto.randomUUID(),
      });
      return message;
    }

    test("is written for React 18, and compiles against its types", async () => {
      const project = { compiler: "TypeScript 7", resolution: "bundler" } as const;
      expect(await consumer.compile(["hooks.tsx"], project)).toEqual({ code: 0, output: "" });
    });

    test("conversations come in pages, newest activity first", async () => {
      const ada = await app.person();
      const created: string[] = [];
      for (const title of ["g", "f", "e", "d", "c", "b", "a"]) {
        created.push((await ada.api.chat.conversations.create.mutate({ title })).id);
      }
      const page = await tabOf(ada);
      await showsTitles(page, ["a", "b", "c"]);
      await click(page, "More");
      await showsTitles(page, ["a", "b", "c", "d", "e", "f"]);
      await click(page, "More");
      await showsTitles(page, ["a", "b", "c", "d", "e", "f", "g"]);
      expect(await page.getByRole("button", { name: "More" }).count()).toBe(0);
      await note(ada, created[1] ?? "", "up again");
      await showsTitles(page, ["f", "a", "b", "c", "d", "e", "g"]);
    });

    test("what other tabs and devices create, rename and delete, the list shows", async () => {
      const ada = await app.person();
      const page = await tabOf(ada);
      const second = await tabOf(ada, page.context());
      const { id } = await ada.api.chat.conversations.create.mutate({ title: "of a telephone" });
      for (const tab of [page, second]) await showsTitles(tab, ["of a telephone"]);
      await talk(second, "of a tab", "An answer");
      for (const tab of [page, second]) await showsTitles(tab, ["of a tab", "of a telephone"]);
      await ada.api.chat.conversations.update.mutate({ id, title: "renamed" });
      for (const tab of [page, second]) await showsTitles(tab, ["of a tab", "renamed"]);
      // A tab in the background draws a frame a second.
      await page.bringToFront();
      await click(page, "Shout of a tab");
      for (const tab of [page, second]) await showsTitles(tab, ["OF A TAB", "renamed"]);
      await click(page, "OF A TAB");
      await shows(page, "of a tab", "An answer");
      await ada.api.chat.conversations.delete.mutate({ id });
      for (const tab of [page, second]) await showsTitles(tab, ["OF A TAB"]);
      await second.bringToFront();
      await click(second, "Delete OF A TAB");
      for (const tab of [page, second]) await showsTitles(tab, []);
    });

    test("what a message says is changed in its place, and answered anew", async () => {
      const ada = await app.person();
      const page = await tabOf(ada);
      const second = await tabOf(ada);
      await talk(page, "Whats up?", "The sky");
      await click(second, "Whats up?");
      await change(page, { from: "Whats up?", how: "Edit", to: "What is up?" });
      for (const tab of [page, second]) await shows(tab, "What is up?", "The sky");
      await messageOf(second, "What is up?").getByText("edited").waitFor();
      await inMessage(page, "What is up?", "Again");
      const { messages } = await answerWith("Everything above");
      expect(messages.at(-1)).toMatchObject({ role: "user", parts: [{ type: "text", text: "What is up?" }] });
      await shows(page, "What is up?", "Everything above");
      await inMessage(page, "Everything above", "Before");
      await shows(page, "What is up?", "The sky");
    });

    test("each branch keeps what follows, and every device of a person looks at the same one", async () => {
      const ada = await app.person();
      const page = await tabOf(ada);
      const second = await tabOf(ada);
      await talk(page, "one", "1");
      await talk(page, "two", "2");
      await talk(page, "three", "3");
      await change(page, { from: "two", how: "Branch", to: "deux" });
      await answerWith("II");
      await shows(page, "one", "1", "deux", "II");
      await messageOf(page, "deux").getByText("2 of 2").waitFor();
      await inMessage(page, "deux", "Before");
      await shows(page, "one", "1", "two", "2", "three", "3");
      await messageOf(page, "two").getByText("1 of 2").waitFor();
      await click(second, "one");
      await shows(second, "one", "1", "two", "2", "three", "3");
      await inMessage(page, "two", "After");
      await shows(page, "one", "1", "deux", "II");
      await talk(page, "trois", "III");
      await shows(page, "one", "1", "deux", "II", "trois", "III");
      await inMessage(page, "deux", "Before");
      await inMessage(page, "two", "After");
      await shows(page, "one", "1", "deux", "II", "trois", "III");
      await screenshot(page, "hooks");
    });

    test("an answer is given again, and the others stay beside it", async () => {
      const page = await tabOf(await app.person());
      await talk(page, "Heads or tails?", "Heads");
      await inMessage(page, "Heads", "Again");
      const stream = await next();
      stream.text("Tai");
      await shows(page, "Heads or tails?", "Tai");
      await page.locator("section.answering").waitFor();
      stream.text("ls").end();
      await page.locator("section.ready").waitFor();
      await messageOf(page, "Tails").getByText("2 of 2").waitFor();
      await inMessage(page, "Tails", "Before");
      await messageOf(page, "Heads").getByText("1 of 2").waitFor();
    });

    test("older messages come when they are asked for, and new ones at the end", async () => {
      const ada = await app.person();
      const { id } = await ada.api.chat.conversations.create.mutate({ title: "long" });
      const all = Array.from({ length: 120 }, (_, index) => `note ${index}`);
      for (const content of all) await note(ada, id, content);
      const page = await tabOf(ada);
      await click(page, "long");
      await shows(page, ...all.slice(70));
      await click(page, "Older");
      await shows(page, ...all.slice(20));
      await note(ada, id, "from elsewhere");
      await shows(page, ...all.slice(20), "from elsewhere");
      await click(page, "Older");
      await shows(page, ...all, "from elsewhere");
      expect(await page.getByRole("button", { name: "Older" }).count()).toBe(0);
      await talk(page, "And now?", "The end");
      await shows(page, ...all, "from elsewhere", "And now?", "The end");
    });

    test("an answer that fails keeps its words, says why, and is given again", async () => {
      const page = await tabOf(await app.person());
      await write(page, "Tell me");
      const stream = await next();
      stream.text("Once upon").cut();
      await messageOf(page, "Once upon").and(page.locator(".failed")).getByText("The answer broke off").waitFor();
      await inMessage(page, "Once upon", "Again");
      await answerWith("Once upon a time");
      await shows(page, "Tell me", "Once upon a time");
      expect(await page.getByText("The answer broke off").count()).toBe(0);
    });

    test("a message that is refused can be sent again, and is sent once", async () => {
      const [ada, bob] = [await app.person(), await app.person()];
      const { id } = await ada.api.chat.conversations.create.mutate({ title: "shared" });
      await ada.api.chat.conversations.addMember.mutate({ id, identifier: bob.email, role: "viewer" });
      const page = await tabOf(bob);
      await click(page, "shared");
      await write(page, "May I?");
      await page.getByRole("alert").waitFor();
      await messageOf(page, "May I?").and(page.locator(".failed")).waitFor();
      await click(page, "Never mind");
      await shows(page);
      expect(await page.getByRole("alert").count()).toBe(0);
      await write(page, "Please?");
      await page.getByRole("alert").waitFor();
      await ada.api.chat.conversations.setMemberRole.mutate({ id, userId: bob.user.id, role: "editor" });
      await click(page, "Try again");
      await answerWith("You may");
      await shows(page, "Please?", "You may");
      const { items } = await ada.api.chat.messages.list.query({ conversationId: id });
      expect(items.map(({ content }) => content)).toEqual(["Please?", "You may"]);
    });

    test("who signs in next in the same tab sees nothing of who was there before", async () => {
      const [ada, bob] = [await app.person(), await app.person()];
      await bob.api.chat.conversations.create.mutate({ title: "bob's" });
      const page = await tabOf(ada);
      await talk(page, "ada's", "An answer");
      await click(page, "New");
      await shows(page);
      await write(page, "x".repeat(201));
      await page.getByRole("alert").waitFor();
      await click(page, "Sign out");
      await liveIs(page, "off");
      await showsTitles(page, []);
      await shows(page);
      await signIn(page, bob);
      await showsTitles(page, ["bob's"]);
      await shows(page);
      expect(await page.getByRole("alert").count()).toBe(0);
      await talk(page, "hello", "Hello, Bob");
      await shows(page, "hello", "Hello, Bob");
      await note(ada, (await ada.api.chat.conversations.list.query({})).items[0]?.id ?? "", "to myself");
      await note(bob, (await bob.api.chat.conversations.list.query({})).items[0]?.id ?? "", "to me");
      await shows(page, "hello", "Hello, Bob", "to me");
      await showsTitles(page, ["hello", "bob's"]);
      await click(page, "Sign out");
      await signIn(page, ada);
      await showsTitles(page, ["ada's"]);
      await click(page, "ada's");
      await shows(page, "ada's", "An answer", "to myself");
    });

    test.each(["chat.send", "chat.conversations.get"])(
      "what %s brings after somebody has signed out is not for the next",
      async (call) => {
        const [ada, bob] = [await app.person(), await app.person()];
        const page = await tabOf(ada);
        const held = await holdBack(page, call);
        await write(page, "ada's");
        await answerWith("Hello, Ada");
        await held.answered;
        await click(page, "Sign out");
        await liveIs(page, "off");
        await signIn(page, bob);
        await liveIs(page, "live");
        await held.release();
        await talk(page, "bob's", "Hello, Bob");
        await shows(page, "bob's", "Hello, Bob");
        await showsTitles(page, ["bob's"]);
      },
    );

    test("live events say how they arrive, and those of a lost connection come later", async () => {
      const [ada, bob] = [await app.person(), await app.person()];
      const { id } = await ada.api.chat.conversations.create.mutate({ title: "shared" });
      await ada.api.chat.conversations.addMember.mutate({ id, identifier: bob.email, role: "editor" });
      const page = await tabOf(ada);
      await click(page, "shared");
      await page.locator("section.ready").waitFor();
      await bob.api.chat.typing.mutate({ conversationId: id, typing: true });
      await page.getByLabel("Heard").getByText(`${bob.user.displayName} types`).waitFor();
      host.moveTo("http://127.0.0.1:9");
      expect(host.cut()).toBeGreaterThan(0);
      await liveIs(page, "connecting");
      await note(bob, id, "Are you there?");
      host.moveTo(app.url);
      await liveIs(page, "live");
      await shows(page, "Are you there?");
      await click(page, "Sign out");
      await liveIs(page, "off");
    });

    test("no page has thrown, and React has not warned", () => {
      expect(browser.complaints).toEqual([]);
    });
  },
);
