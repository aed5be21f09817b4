import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type TestApp, testApp } from "../../server/test/kit.ts";
import { clientPlaces } from "../../server/test/workerd.ts";
import { countingProxy } from "./counting-proxy.ts";
import { type Home, home, password } from "./kit.ts";

const readCredentials = async (file: string) => JSON.parse(await readFile(file, "utf8"));

describe.each(clientPlaces)("signing in, with the server on %s", (place) => {
  let app: TestApp;
  let mine: Home;
  beforeAll(async () => {
    app = await testApp({ database: place });
  });
  afterAll(() => app?.stop());
  beforeEach(async () => {
    mine = await home(app.url);
  });
  afterEach(() => mine?.[Symbol.asyncDispose]());

  async function credentialsFile(): Promise<string> {
    const [name = "", ...others] = await readdir(mine.credentials);
    expect(others).toEqual([]);
    return path.join(mine.credentials, name);
  }

  test("keeps a session in a file that only its owner may read, until signing out", async () => {
    const email = await mine.signUp();
    const file = await credentialsFile();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(mine.credentials)).mode & 0o777).toBe(0o700);
    expect(await mine.json(["whoami"])).toMatchObject({ url: app.url, user: { email } });
    const { accessToken } = await readCredentials(file);
    expect((await mine.run(["logout"])).code).toBe(0);
    expect(await readdir(mine.credentials)).toEqual([]);
    await expect(app.client(accessToken).auth.me.query()).rejects.toMatchObject({ data: { code: "UNAUTHORIZED" } });
    expect((await mine.run(["whoami"])).code).toBe(3);
    expect((await mine.run(["logout"])).code).toBe(0);
  });

  test("reads the password from standard input, and remembers the server", async () => {
    const { email } = await app.person();
    const signIn = ["login", "--url", app.url, "--user", email, "--password-stdin", "--device", "my shell"];
    const signedIn = await mine.run(signIn, { input: `${password}\n`, env: { PARLEY_URL: "" } });
    expect(signedIn).toMatchObject({ code: 0, err: "" });
    expect(signedIn.out).toContain(email);
    const { items } = await mine.json<{ items: { current: boolean; device: { name: string } }[] }>(["sessions"], {
      env: { PARLEY_URL: "" },
    });
    expect(items.find(({ current }) => current)?.device.name).toBe("my shell");
  });

  test("again ends the session that it replaces", async () => {
    const email = await mine.signUp();
    await mine.run(["login", "--user", email, "--password-stdin"], { input: password });
    const { items } = await mine.json<{ items: unknown[] }>(["sessions"]);
    expect(items).toHaveLength(1);
  });

  test("again ends it also where its token has expired", { timeout: 30_000 }, async () => {
    await using own = await testApp({ database: place, env: { ACCESS_TOKEN_TTL: "10s" } });
    await using far = await home(own.url);
    const email = await far.signUp();
    const file = path.join(far.credentials, (await readdir(far.credentials))[0] ?? "");
    const { accessToken } = await readCredentials(file);
    const isGood = () =>
      own
        .client(accessToken)
        .auth.me.query()
        .then(
          () => true,
          () => false,
        );
    own.clock.advance({ seconds: 11 });
    // workerd's clock is its own.
    await expect.poll(isGood, { timeout: 15_000 }).toBe(false);
    await far.run(["login", "--user", email, "--password-stdin"], { input: password });
    expect((await far.json<{ items: unknown[] }>(["sessions"])).items).toHaveLength(1);
  });

  test("with another account ends the session of the one before", async () => {
    await mine.signUp();
    const { accessToken } = await readCredentials(await credentialsFile());
    const email = await mine.signUp();
    expect(await mine.json(["whoami"])).toMatchObject({ user: { email } });
    await expect(app.client(accessToken).auth.me.query()).rejects.toMatchObject({ data: { reason: "session_ended" } });
  });

  test("with an account that has to be verified first leaves the session that is there", async () => {
    await using own = await testApp({ database: place, env: { EMAIL_VERIFICATION: "required" } });
    await using far = await home(own.url);
    const email = await far.signUp();
    await far.signUp();
    expect(await far.json(["whoami"])).toMatchObject({ user: { email } });
  });

  test("with a wrong password is refused in one line, and what was there stays", async () => {
    const email = await mine.signUp();
    const { code, out, err } = await mine.run(["login", "--user", email, "--password-stdin"], { input: "Wrong-horse-1" });
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toMatch(/^parley: .+ \(invalid_credentials, [\w-]+\)\n$/);
    expect((await mine.run(["whoami"])).code).toBe(0);
  });

  test("asks nothing where there is no terminal", async () => {
    for (const args of [["login"], ["login", "--user", "a@example.com"], ["register"]]) {
      const { code, err } = await mine.run(args);
      expect(code, err).toBe(2);
      expect(err).toMatch(/use --(user|password-stdin|email)/);
    }
  });

  test("a token goes to the server that it is from, and to no other", async () => {
    await mine.signUp();
    await using other = await testApp({ database: place });
    const { code, err } = await mine.run(["whoami", "--url", other.url]);
    expect({ code, err }).toMatchObject({ code: 3, err: expect.stringContaining("(unauthenticated") });
  });

  test("a key from the environment takes the place of a session", async () => {
    await mine.signUp();
    const { key, apiKey } = await mine.json<{ key: string; apiKey: { id: string } }>([
      "keys",
      "create",
      "ci",
      "--expires",
      "30d",
    ]);
    await using script = await home(app.url);
    const env = { PARLEY_TOKEN: key };
    expect(await script.json(["whoami"], { env })).toMatchObject({ session: null });
    expect((await script.run(["logout"], { env })).code).toBe(2);
    await expect(readdir(script.credentials)).rejects.toThrow("ENOENT");
    expect((await mine.run(["keys", "revoke", apiKey.id])).code).toBe(0);
    await expect.poll(async () => (await script.run(["whoami"], { env })).code, { timeout: 10_000 }).toBe(3);
  });

  test("in a script goes as the README has it", async () => {
    await mine.signUp();
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const recipe = /^key=[^`]+/m.exec(readme)?.[0] ?? "";
    const { code, out, err } = await mine.run([], { shell: recipe.replace("https://chat.example.com", app.url) });
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("demonstration");
  });

  test("processes that meet an expired token together end with one session, which is alive", { timeout: 60_000 }, async () => {
    const proxy = await countingProxy(app.url);
    const env = { PARLEY_URL: proxy.url };
    const { email } = await app.person();
    await mine.run(["login", "--user", email, "--password-stdin"], { input: password, env });
    const file = await credentialsFile();
    for (let round = 1; round <= 3; round++) {
      const before = await readCredentials(file);
      await writeFile(file, JSON.stringify({ ...before, expiresAt: Date.now() }));
      const all = await Promise.all(Array.from({ length: 6 }, () => mine.run(["whoami"], { env })));
      expect(proxy.count("auth.refresh")).toBe(round);
      expect(all.map(({ code, err }) => ({ code, err }))).toEqual(all.map(() => ({ code: 0, err: "" })));
      expect((await readCredentials(file)).refreshToken).not.toBe(before.refreshToken);
      expect(await readdir(mine.credentials)).toEqual([path.basename(file)]);
      // What was used up must not be shown again once the server forgives it no more; workerd's clock is its own.
      app.clock.advance({ seconds: 20 });
    }
    // This one, and the one that the account was made with.
    expect((await mine.json<{ items: unknown[] }>(["sessions"], { env })).items).toHaveLength(2);
    proxy.close();
  });

  test("a file that cannot be used is named, and no server is blamed or asked", async () => {
    const email = await mine.signUp();
    const file = await credentialsFile();
    await rm(file);
    await mkdir(file);
    const proxy = await countingProxy(app.url);
    const signIn = ["login", "--user", email, "--password-stdin"];
    const named = {
      code: 1,
      out: "",
      err: expect.stringMatching(/^parley: \S+\.json cannot be used: .+ \((EISDIR|ENOTDIR|EEXIST)\)\n$/),
    };
    for (const args of [["whoami"], ["attach", crypto.randomUUID()], ["ask", "x"], signIn]) {
      expect(await mine.run(args, { input: password }), args[0]).toEqual(named);
    }
    await rm(mine.credentials, { recursive: true });
    await writeFile(mine.credentials, "no folder");
    expect(await mine.run(signIn, { input: password, env: { PARLEY_URL: proxy.url } })).toEqual(named);
    expect(proxy.count("auth.login")).toBe(0);
    proxy.close();
  });

  test("a key that can be none is wrong usage", async () => {
    for (const key of ["two\r\nlines", "clé"]) {
      const { code, err } = await mine.run(["whoami"], { env: { PARLEY_TOKEN: key } });
      expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("PARLEY_TOKEN is no key") });
    }
  });

  test("with --json warns of a password that can be read in JSON, too", async () => {
    const signIn = ["login", "--user", "a", "--password-stdin", "--json", "--url", "http://127.parley.invalid"];
    const { code, err } = await mine.run(signIn, { input: password });
    expect({
      code,
      told: err
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    }).toMatchObject({
      code: 4,
      told: [{ warning: { reason: "not_encrypted" } }, { error: { reason: "not_reached" } }],
    });
  });

  test("the token of a session that was ended elsewhere is dropped", async () => {
    await mine.signUp();
    const file = await credentialsFile();
    const { accessToken } = await readCredentials(file);
    await app.client(accessToken).session.endAll.mutate();
    await writeFile(file, JSON.stringify({ ...(await readCredentials(file)), expiresAt: 0 }));
    expect((await mine.run(["whoami"])).code).toBe(3);
    expect(await readdir(mine.credentials)).toEqual([]);
  });
});
