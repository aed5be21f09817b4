import { databaseKinds, openTestDatabase, type TestDatabase, testServices } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const origin = { address: "127.0.0.1", userAgent: "a browser" };

describe.each(databaseKinds)("accounts on %s", (kind) => {
  let database: TestDatabase;
  let node: ReturnType<typeof testServices>;

  beforeAll(async () => {
    database = await openTestDatabase(kind);
    node = testServices(database);
  });
  afterAll(async () => {
    await node.stop();
    await database.close();
  });

  test("an account signs in by address or name, however they are written", async () => {
    await node.auth.register({ email: "Ada@Example.com", username: "Ada_L", password: "Correct-horse-1" }, origin);
    for (const identifier of ["ada@example.com", "ADA@EXAMPLE.COM", "ada_l", "ＡＤＡ_L"]) {
      const { user, session } = await node.auth.login({ identifier, password: "Correct-horse-1" }, origin);
      expect(user).toMatchObject({ email: "Ada@Example.com", username: "Ada_L", displayName: "Ada_L" });
      expect(session).toMatchObject({ ip: "127.0.0.1", device: { userAgent: "a browser" } });
    }
  });

  test("one address makes one account, also twenty times at once", async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        node.auth.register({ email: index % 2 ? "Same@example.com" : "same@EXAMPLE.com", password: "Correct-horse-1" }, origin),
      ),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results)
      if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "email_taken" });
  });

  test("a name that is taken is told apart from an address", async () => {
    await node.auth.register({ email: "first@example.com", username: "taken", password: "Correct-horse-1" }, origin);
    const again = node.auth.register({ email: "second@example.com", username: "TAKEN", password: "Correct-horse-1" }, origin);
    await expect(again).rejects.toMatchObject({ reason: "username_taken" });
  });

  test("a wrong password and an unknown name are the same answer", async () => {
    const { email } = await node.person();
    const wrong = await node.auth.login({ identifier: email, password: "wrong" }, origin).catch((error) => error);
    const unknown = await node.auth
      .login({ identifier: "nobody@example.com", password: "wrong" }, origin)
      .catch((error) => error);
    expect(wrong).toMatchObject({ reason: "invalid_credentials" });
    expect(unknown).toEqual(wrong);
  });

  test("an access token works until it expires", async () => {
    const { actor, accessToken, user } = await node.person();
    expect(await node.auth.me(actor)).toEqual({ user, session: { id: actor.sessionId } });
    node.clock.advance({ seconds: 14 * 60 });
    expect(await node.auth.authenticate(accessToken)).toMatchObject({ actor: { userId: user.id }, refusal: null });
    node.clock.advance({ seconds: 2 * 60 });
    expect(await node.auth.authenticate(accessToken)).toMatchObject({ actor: null, refusal: { reason: "token_expired" } });
  });

  test("a token of another secret, a changed one and nonsense are refused", async () => {
    const { accessToken } = await node.person();
    const stranger = testServices(database, { jwtSecrets: ["another-secret-for-tests-only-0123456789"] });
    expect((await stranger.auth.authenticate(accessToken)).refusal).toMatchObject({ reason: "unauthenticated" });
    await stranger.stop();
    const [head, body, signature] = accessToken.split(".");
    const none = `${btoa('{"alg":"none","typ":"at+jwt"}').replace(/=/g, "")}.${body}.`;
    for (const token of ["", "x", `${head}.${body}`, `${head}.${body}.${signature?.slice(0, -2)}AA`, none]) {
      expect((await node.auth.authenticate(token)).refusal, token).toMatchObject({ reason: "unauthenticated" });
    }
  });
});
