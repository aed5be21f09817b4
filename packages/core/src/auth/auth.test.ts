import { databaseKinds, openTestDatabase, testOrigin as origin, type TestDatabase, testServices } from "@parley/testing";
import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { users } from "../database/schema.ts";
import { en } from "../mail/letters/en.ts";
import { he } from "../mail/letters/he.ts";
import { isCommonPassword } from "./names.ts";

const elsewhere = { address: "203.0.113.7", userAgent: "another browser", isLocal: false };
const password = "Correct-horse-1";

describe.each(databaseKinds)("accounts on %s", (kind) => {
  let database: TestDatabase;
  let node: ReturnType<typeof testServices>;
  let people = 0;
  const address = () => `someone-${++people}@example.com`;

  beforeAll(async () => {
    database = await openTestDatabase(kind);
    node = testServices(database);
    await node.person();
  });
  afterAll(async () => {
    await node.stop();
    await database.close();
  });

  /** Another process on the same database, with other settings. */
  async function withNode(changes: Parameters<typeof testServices>[1], work: (other: typeof node) => Promise<void>) {
    const other = testServices(database, changes);
    try {
      await work(other);
    } finally {
      await other.stop();
    }
  }
  const login = (identifier: string, typed = password, from = origin) => node.auth.login({ identifier, password: typed }, from);

  describe("signing in", () => {
    test("goes by address or name, however they are written", async () => {
      await node.auth.register({ email: "Ada@Example.com", username: "Ada_L", password }, origin);
      for (const identifier of ["ada@example.com", "ADA@EXAMPLE.COM", "ada_l", "ＡＤＡ_L"]) {
        const { user } = await login(identifier);
        expect(user).toMatchObject({ email: "Ada@Example.com", username: "Ada_L", displayName: "Ada_L" });
      }
    });

    test("gives one answer for a wrong password and an unknown name", async () => {
      const { email } = await node.person();
      const wrong = await login(email, "wrong").catch((error) => error);
      const unknown = await login(address(), "wrong").catch((error) => error);
      expect(wrong).toMatchObject({ reason: "invalid_credentials" });
      expect(unknown).toEqual(wrong);
    });

    test("counts failures exactly, also at once, and tells a lock only to the right password", async () => {
      const { email } = await node.person();
      await Promise.allSettled(Array.from({ length: 10 }, () => login(email, "wrong", elsewhere)));
      const wrong = await login(email, "wrong", elsewhere).catch((error) => error);
      expect(wrong).toMatchObject({ reason: "invalid_credentials", retryAfterMs: undefined });
      await expect(login(email, password, elsewhere)).rejects.toMatchObject({
        reason: "account_locked",
        retryAfterMs: expect.any(Number),
      });
    });

    test("lets a known device in while strangers are locked out, and sessions go on", async () => {
      const { email, accessToken } = await node.person();
      await Promise.allSettled(Array.from({ length: 10 }, () => login(email, "wrong", elsewhere)));
      expect((await node.auth.authenticate(accessToken)).actor).not.toBeNull();
      await expect(login(email)).resolves.toMatchObject({ user: { email } });
      await expect(login(email, password, elsewhere), "a success clears the count").resolves.toMatchObject({ user: { email } });
    });

    test("is locked for a time that grows, and a reset ends it", async () => {
      const { email } = await node.person();
      const fail = (times: number) => Promise.allSettled(Array.from({ length: times }, () => login(email, "wrong", elsewhere)));
      const lockMs = async () => (await login(email, password, elsewhere).catch((error) => error)).retryAfterMs;
      await fail(10);
      const first = await lockMs();
      await fail(5);
      const second = await lockMs();
      expect(second).toBeGreaterThan(first * 1.5);
      node.auth.requestPasswordReset(email);
      await expect.poll(() => node.letters.tokenFor(email)).not.toBe("");
      await node.auth.resetPassword(node.letters.tokenFor(email), "Another-horse-2", elsewhere);
      await expect(login(email, "Another-horse-2", elsewhere)).resolves.toMatchObject({ user: { email } });
    });

    test("from a new device is told by letter, once", async () => {
      const { email } = await node.person();
      await login(email);
      const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
      const stolen = { identifier: email, password, device: { name: "My old phone" } };
      await node.auth.login(stolen, { ...elsewhere, userAgent: firefox });
      await login(email, password, { ...elsewhere, userAgent: firefox });
      await node.background.settled();
      const [letter, ...more] = node.letters.to(email);
      expect(letter?.subject).toBe(en.newSignIn.subject);
      expect(letter?.text).toContain("Device: \u2068Firefox 128, Linux\u2069");
      expect(letter?.text).toContain("https://parley.example/sessions");
      expect(letter?.text).not.toContain("My old phone");
      expect(more).toEqual([]);
    });

    test("takes a hash of another algorithm once and replaces it", async () => {
      const { email, user } = await node.person();
      const bcrypt = "$2b$12$Uyya/H/DbW3LCQh3Z5vHYOamoAQjTpZ6A5UKDQDJkqF2LeqYBkeZe";
      await database.database.execute(sql`update users set password_hash = ${bcrypt} where id = ${user.id}`);
      await login(email);
      const stored = async () => {
        const [row] = await database.database.select().from(users).where(eq(users.id, user.id));
        return row?.passwordHash;
      };
      await expect.poll(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      await expect(login(email)).resolves.toMatchObject({ user: { email } });
    });
  });

  describe("registering", () => {
    test("makes one account an address, also twenty times at once", async () => {
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          node.auth.register({ email: index % 2 ? "Same@example.com" : "same@EXAMPLE.com", password }, origin),
        ),
      );
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const result of results)
        if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "email_taken" });
    });

    test("tells a taken name apart from a taken address", async () => {
      await node.auth.register({ email: address(), username: "taken", password }, origin);
      const again = node.auth.register({ email: address(), username: "TAKEN", password }, origin);
      await expect(again).rejects.toMatchObject({ reason: "username_taken" });
    });

    test("refuses the passwords that are tried first", async () => {
      for (const common of ["Password1!", "P@ssw0rd!", "Qwerty123!", "Welcome2024!", "Admin@123", "Iloveyou1!"]) {
        expect(isCommonPassword(common), common).toBe(true);
        await expect(node.auth.register({ email: address(), password: common }, origin)).rejects.toMatchObject({
          reason: "invalid_input",
        });
      }
      for (const good of [password, "7-Magpies-in-a-row", "Tr0ub4dor&3", "Пароль-шипит-9", "Admiral-Benbow-1"]) {
        expect(isCommonPassword(good), good).toBe(false);
      }
    });

    test("answers alike for a known and an unknown address where verification is required", async () => {
      await withNode({ emailVerification: "required" }, async (other) => {
        const email = address();
        const first = await other.auth.register({ email, password }, origin);
        const again = await other.auth.register({ email, password: "Another-horse-2" }, origin);
        expect(first).toEqual({ next: "verify_email" });
        expect(again).toEqual(first);
        await expect(other.auth.login({ identifier: email, password: "wrong" }, origin)).rejects.toMatchObject({
          reason: "invalid_credentials",
        });
        await expect(other.auth.login({ identifier: email, password }, origin)).rejects.toMatchObject({
          reason: "email_unverified",
        });
        await expect.poll(() => other.letters.to(email).length).toBeGreaterThan(0);
        await other.background.settled();
        await other.auth.verifyEmail(other.letters.tokenFor(email), origin);
        await expect(other.auth.verifyEmail(other.letters.tokenFor(email), origin)).rejects.toMatchObject({
          reason: "not_found",
        });
        await expect(other.auth.login({ identifier: email, password }, origin)).resolves.toMatchObject({ user: { email } });
      });
    });

    test("can be closed, or by invitations that work once", async () => {
      const { actor } = await node.person();
      const { token, link } = await node.auth.invite(actor, undefined, origin);
      expect(link).toBe(`https://parley.example/register#token=${token}`);
      await withNode({ registration: "closed" }, async (closed) => {
        await expect(closed.auth.register({ email: address(), password, invitation: token }, origin)).rejects.toMatchObject({
          reason: "registration_closed",
        });
      });
      await withNode({ registration: "invite" }, async (invited) => {
        const register = (invitation?: string) => invited.auth.register({ email: address(), password, invitation }, origin);
        await expect(register()).rejects.toMatchObject({ reason: "registration_closed" });
        await expect(register("made-up")).rejects.toMatchObject({ reason: "registration_closed" });
        const results = await Promise.allSettled(Array.from({ length: 5 }, () => register(token)));
        expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      });
    });
  });

  test("an invitation is sent where it is meant for, in the language of whoever invites", async () => {
    const { actor, user } = await node.person();
    await database.database.update(users).set({ language: "he" }).where(eq(users.id, user.id));
    const email = address();
    const { token } = await node.auth.invite(actor, { email }, origin);
    for (let again = 0; again < 4; again++) await node.auth.invite(actor, { email: email.toUpperCase() }, origin);
    await node.background.settled();
    expect(node.letters.tokenFor(email)).toBe(token);
    expect(node.letters.to(email)).toMatchObject([{ subject: he.invite.subject, text: expect.stringContaining("7 ימים") }]);
    expect(node.letters.to(email.toUpperCase()), "an address gets three an hour").toHaveLength(2);
  });

  describe("tokens", () => {
    test("work until they expire", async () => {
      await withNode({}, async (other) => {
        const { actor, accessToken, user } = await other.person();
        expect(await other.auth.me(actor)).toEqual({ user, session: { id: actor.sessionId } });
        other.clock.advance({ seconds: 14 * 60 });
        expect(await other.auth.authenticate(accessToken)).toMatchObject({ actor: { userId: user.id }, refusal: null });
        other.clock.advance({ seconds: 2 * 60 });
        expect(await other.auth.authenticate(accessToken)).toMatchObject({ actor: null, refusal: { reason: "token_expired" } });
      });
    });

    test("are not asked again of whoever holds something open, but whether the session or the key still stands", async () => {
      await withNode({}, async (other) => {
        const { actor } = await other.person();
        const { apiKey } = await other.keys.create(actor, { name: "Robot" }, origin);
        const key = { userId: actor.userId, sessionId: apiKey.id, via: "key" } as const;
        other.clock.advance({ seconds: 16 * 60 });
        expect(await other.auth.restore(actor)).toEqual({ actor, refusal: null });
        expect(await other.auth.restore(key)).toMatchObject({ actor: { ...key, scopes: expect.any(Array) }, refusal: null });
        expect((await other.auth.restore({ ...actor, userId: apiKey.id })).refusal).toMatchObject({ reason: "session_ended" });
        await other.keys.revoke(actor, apiKey.id, origin);
        await other.auth.logout(actor, origin);
        expect((await other.auth.restore(actor)).refusal).toMatchObject({ reason: "session_ended" });
        expect((await other.auth.restore(key)).refusal).toMatchObject({ reason: "unauthenticated" });
      });
    });

    test("of another secret, changed, unsigned or made up are refused", async () => {
      const { accessToken } = await node.person();
      await withNode({ jwtSecrets: ["another-secret-for-tests-only-0123456789"] }, async (stranger) => {
        expect((await stranger.auth.authenticate(accessToken)).refusal).toMatchObject({ reason: "unauthenticated" });
      });
      const [head, body, signature] = accessToken.split(".");
      const changed = `${signature?.startsWith("A") ? "B" : "A"}${signature?.slice(1)}`;
      const none = `${btoa('{"alg":"none","typ":"at+jwt"}').replace(/=/g, "")}.${body}.`;
      for (const token of ["", "x", `${head}.${body}`, `${head}.${body}.${changed}`, none, "plk_made-up"]) {
        expect((await node.auth.authenticate(token)).refusal, token).toMatchObject({ reason: "unauthenticated" });
      }
    });

    test("of the secret before are still accepted after a rotation", async () => {
      const before = "the-secret-before-for-tests-0123456789";
      await withNode({ jwtSecrets: [before] }, async (old) => {
        const { accessToken, tokens } = await old.person();
        await withNode({ jwtSecrets: ["the-secret-now-for-tests-01234567890", before] }, async (now) => {
          expect((await now.auth.authenticate(accessToken)).actor).not.toBeNull();
          await expect(now.auth.refresh(tokens.refreshToken, {}, origin)).resolves.toMatchObject({ tokenType: "Bearer" });
        });
      });
    });
  });

  test("who is signed in is told anew at once when an account or its rights change", async () => {
    const { actor, user } = await node.person();
    const { actor: admin } = await node.person();
    await database.database.update(users).set({ role: "admin" }).where(eq(users.id, admin.userId));
    expect((await node.auth.me(actor)).user.displayName).toBe(user.displayName);
    await node.users.update(actor, { displayName: "Ada" }, origin);
    expect((await node.auth.me(actor)).user.displayName).toBe("Ada");
    await node.administration.users.setRole(admin, { id: user.id, role: "operator" }, origin);
    expect((await node.auth.me(actor)).user.role).toBe("operator");
    await node.users.deleteAccount(actor, password, origin);
    await expect(node.auth.me(actor)).rejects.toMatchObject({ reason: "session_ended" });
  });

  describe("a password", () => {
    test("that is changed ends every other session and no longer works", async () => {
      const { email, actor, accessToken } = await node.person();
      const other = await login(email);
      await expect(
        node.auth.changePassword(actor, { currentPassword: "wrong", newPassword: "Another-horse-2" }, origin),
      ).rejects.toMatchObject({ reason: "invalid_credentials" });
      await node.auth.changePassword(actor, { currentPassword: password, newPassword: "Another-horse-2" }, origin);
      expect((await node.auth.authenticate(accessToken)).actor).not.toBeNull();
      expect((await node.auth.authenticate(other.tokens.accessToken)).refusal).toMatchObject({ reason: "session_ended" });
      await expect(login(email)).rejects.toMatchObject({ reason: "invalid_credentials" });
      await expect.poll(() => node.letters.to(email).length).toBe(1);
    });

    test("is reset by a link that works once, for an hour, and ends every session", async () => {
      await withNode({}, async (other) => {
        const { email, accessToken } = await other.person();
        other.auth.requestPasswordReset(email);
        await other.background.settled();
        const [letter] = other.letters.to(email);
        expect(letter?.text).toContain("https://parley.example/reset-password#token=");
        const token = other.letters.tokenFor(email);
        await other.auth.resetPassword(token, "Another-horse-2", origin);
        expect((await other.auth.authenticate(accessToken)).refusal).toMatchObject({ reason: "session_ended" });
        await expect(other.auth.resetPassword(token, "Third-horse-3", origin)).rejects.toMatchObject({ reason: "not_found" });
        other.auth.requestPasswordReset(email);
        await other.background.settled();
        other.clock.advance({ seconds: 3_601 });
        const late = other.letters.tokenFor(email);
        await expect(other.auth.resetPassword(late, "Third-horse-3", origin)).rejects.toMatchObject({ reason: "not_found" });
      });
    });

    test("that is reset leaves no session and no key of whoever signs in with the old one meanwhile", async () => {
      const { email, actor } = await node.person();
      node.auth.requestPasswordReset(email);
      await expect.poll(() => node.letters.tokenFor(email)).not.toBe("");
      const reset = node.auth.resetPassword(node.letters.tokenFor(email), "Another-horse-2", origin);
      const newKey = () => node.keys.create(actor, { name: "thief", scopes: ["*"] }, origin);
      const keys = Promise.allSettled(Array.from({ length: 8 }, newKey));
      const logins = await Promise.allSettled(Array.from({ length: 8 }, () => login(email)));
      await reset;
      for (const result of await keys)
        if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "session_ended" });
      for (const result of logins) {
        if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "invalid_credentials" });
        else
          expect((await node.auth.authenticate(result.value.tokens.accessToken)).refusal).toMatchObject({
            reason: "session_ended",
          });
      }
      expect(await node.keys.list(actor)).toEqual([]);
      await expect(newKey()).rejects.toMatchObject({ reason: "session_ended" });
    });

    test("reset for an unknown address sends nothing and says nothing", async () => {
      const email = address();
      node.auth.requestPasswordReset(email);
      await node.background.settled();
      expect(node.letters.to(email)).toEqual([]);
    });
  });
});

test.each(databaseKinds)(
  "of thirty accounts that are made at once, the first of all and no other is the admin, on %s",
  async (kind) => {
    await using database = await openTestDatabase(kind);
    const node = testServices(database);
    const all = await Promise.all(
      Array.from({ length: 30 }, (_, index) => node.auth.register({ email: `founder-${index}@example.com`, password }, origin)),
    );
    expect(all.filter((registered) => "user" in registered && registered.user.role === "admin")).toHaveLength(1);
    await node.stop();
  },
);

test("from another machine the first account needs the code that the start has shown", async () => {
  await using database = await openTestDatabase("pglite");
  const node = testServices(database);
  const register = (setupCode?: string) => node.auth.register({ email: "founder@example.com", password, setupCode }, elsewhere);
  await expect(register()).rejects.toMatchObject({ reason: "forbidden" });
  await expect(register("AAAA-BBBB-CCCC")).rejects.toMatchObject({ reason: "forbidden" });
  const code = await node.auth.setupCode();
  await expect(register(code?.toLowerCase())).resolves.toMatchObject({ user: { role: "admin" } });
  expect(await node.auth.setupCode()).toBeNull();
  await node.stop();
});
