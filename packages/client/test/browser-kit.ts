import { existsSync } from "node:fs";
import { type BrowserContext, chromium, type Page, type Route } from "playwright-core";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const hasBrowser = existsSync(executablePath);
if (!hasBrowser) console.warn(`SKIPPED: no page was tried, there is no browser at ${executablePath}`);

const quiet = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
];

export interface OpenBrowser {
  /** Somebody's own: what one has stored, another does not see. */
  device(): Promise<BrowserContext>;
  /** What pages have thrown, and what React has warned of. */
  complaints: string[];
  close(): Promise<void>;
}

export async function openBrowser(): Promise<OpenBrowser> {
  const browser = await chromium.launch({ executablePath, args: quiet });
  const complaints: string[] = [];
  return {
    complaints,
    async device() {
      const context = await browser.newContext();
      context.on("weberror", (error) => complaints.push(error.error().message));
      context.on("console", (message) => {
        if (message.text().startsWith("Warning:")) complaints.push(message.text());
      });
      return context;
    },
    close: () => browser.close(),
  };
}

export const click = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

export async function signIn(page: Page, { email, password }: { email: string; password: string }): Promise<void> {
  await page.fill("[name=email]", email);
  await page.fill("[name=password]", password);
  await click(page, "Sign in");
}

/** The next answer to this call is on its way for as long as a test wants. */
export async function holdBack(page: Page, call: string) {
  const { promise: released, resolve: letGo } = withResolvers();
  const { promise: answered, resolve: tellAnswered } = withResolvers();
  const isCall = (url: URL | string) => new URL(url).pathname.endsWith(`/trpc/${call}`);
  const passOn = async (route: Route) => {
    const response = await route.fetch();
    tellAnswered();
    await released;
    await route.fulfill({ response });
  };
  await page.route(isCall, passOn, { times: 1 });
  return {
    answered,
    async release() {
      const arrived = page.waitForResponse((response) => isCall(response.url()));
      letGo();
      await (await arrived).finished();
    },
  };
}

function withResolvers() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** `SCREENSHOTS` names a folder to look at afterwards. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
