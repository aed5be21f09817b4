import { databaseKinds, openTestDatabase, testOrigin as origin, type TestDatabase, testServices } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeDevice } from "./device.ts";

const password = "Correct-horse-1";

describe.each(databaseKinds)("sessions on %s", (kind) => {
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

  const login = (identifier: string) => node.auth.login({ identifier, password }, origin);
  const refresh = (refreshToken: string, attemptId?: string) => node.auth.refresh(refreshToken, { attemptId }, origin);
  const refusalOf = async (token: string) => (await node.auth.authenticate(token)).refusal?.reason ?? null;

  test("are at most five a person, also after twenty sign-ins at once: the oldest end", async () => {
    const { email, accessToken, actor } = await node.person();
    const opened = await Promise.all(Array.from({ length: 20 }, () => login(email)));
    expect(await node.sessions.list(actor)).toHaveLength(5);
    expect(await refusalOf(accessToken)).toBe("session_ended");
    const alive = await Promise.all(opened.map(({ tokens }) => refusalOf(tokens.accessToken)));
    expect(alive.filter((reason) => reason === null)).toHaveLength(5);
  });

  test("are listed with their device, and the current one is marked", async () => {
    const { email, actor } = await node.person();
    const userAgent =
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36";
    await node.auth.login({ identifier: email, password, device: { name: "Kitchen" } }, { ...origin, userAgent });
    const list = await node.sessions.list(actor);
    expect(list.map(({ current }) => current).sort()).toEqual([false, true]);
    expect(list.find(({ current }) => !current)?.device).toEqual({
      name: "Kitchen",
      browser: "Chrome 125",
      os: expect.stringContaining("macOS"),
    });
  });

  test("twenty refreshes at once leave one lineage", async () => {
    const { tokens } = await node.person();
    const all = await Promise.all(Array.from({ length: 20 }, () => refresh(tokens.refreshToken)));
    expect(new Set(all.map(({ refreshToken }) => refreshToken)).size).toBe(1);
    const [next] = all;
    await expect(refresh(next?.refreshToken ?? "")).resolves.toMatchObject({ tokenType: "Bearer" });
  });

  test("a token used again after ten seconds ends its session", async () => {
    const other = testServices(database);
    const { tokens } = await other.person();
    const next = await other.auth.refresh(tokens.refreshToken, {}, origin);
    other.clock.advance({ seconds: 11 });
    await expect(other.auth.refresh(tokens.refreshToken, {}, origin)).rejects.toMatchObject({ reason: "token_reused" });
    await expect(other.auth.refresh(next.refreshToken, {}, origin)).rejects.toMatchObject({ reason: "session_ended" });
    expect((await other.auth.authenticate(next.accessToken)).refusal).toMatchObject({ reason: "session_ended" });
    await other.stop();
  });

  test("a token two rotations old ends its session at once", async () => {
    const { tokens } = await node.person();
    const second = await refresh(tokens.refreshToken);
    await refresh(second.refreshToken);
    await expect(refresh(tokens.refreshToken)).rejects.toMatchObject({ reason: "token_reused" });
  });

  test("the same attempt is answered alike, however late, until its token is used", async () => {
    const other = testServices(database);
    const { tokens } = await other.person();
    const again = (attemptId: string) => other.auth.refresh(tokens.refreshToken, { attemptId }, origin);
    const first = await again("attempt-one");
    other.clock.advance({ seconds: 600 });
    expect((await again("attempt-one")).refreshToken).toBe(first.refreshToken);
    await expect(again("attempt-two")).rejects.toMatchObject({ reason: "token_reused" });
    await other.stop();
  });

  test("live as long as they are used, and never longer than their greatest age", async () => {
    const other = testServices(database, { sessionTtlMs: 7 * 86_400_000, sessionMaxAgeMs: 10 * 86_400_000 });
    const { tokens } = await other.person();
    other.clock.advance({ seconds: 6 * 86_400 });
    const next = await other.auth.refresh(tokens.refreshToken, {}, origin);
    other.clock.advance({ seconds: 3 * 86_400 });
    const last = await other.auth.refresh(next.refreshToken, {}, origin);
    other.clock.advance({ seconds: 2 * 86_400 });
    await expect(other.auth.refresh(last.refreshToken, {}, origin)).rejects.toMatchObject({ reason: "session_ended" });
    await other.stop();
  });

  test("made-up refresh tokens are refused", async () => {
    const { tokens } = await node.person();
    const [body, signature] = tokens.refreshToken.split(".");
    const another = (await node.person()).tokens.refreshToken.split(".")[0];
    for (const token of ["", "plr_", "plr_x.y", `${body}.AAAA`, `${another}.${signature}`, "x".repeat(199)]) {
      await expect(refresh(token), token).rejects.toMatchObject({ reason: "unauthenticated" });
    }
  });

  test("one is ended by its owner only, others and all by one word", async () => {
    const { email, actor, accessToken } = await node.person();
    const stranger = await node.person();
    const second = await login(email);
    const third = await login(email);
    const refused = (id: string) => node.sessions.endOne(stranger.actor, id, "ended", origin).catch((error) => error);
    expect(await refused(second.session.id)).toMatchObject({ reason: "not_found" });
    expect(await refused(second.session.id)).toEqual(await refused("01a1fd8a-0000-7000-8000-000000000000"));
    await node.sessions.endOne(actor, second.session.id, "ended", origin);
    expect(await refusalOf(second.tokens.accessToken)).toBe("session_ended");
    await node.sessions.endOthers(actor, origin);
    expect(await refusalOf(third.tokens.accessToken)).toBe("session_ended");
    expect(await refusalOf(accessToken)).toBeNull();
    await node.sessions.endAll(actor, origin);
    expect(await refusalOf(accessToken)).toBe("session_ended");
  });

  test("that end on one node lose their power on another within seconds", async () => {
    const other = testServices(database, { jwtSecrets: ["one-secret-for-two-nodes-0123456789-01"] });
    const far = testServices(database, { jwtSecrets: ["one-secret-for-two-nodes-0123456789-01"] });
    const { actor, accessToken } = await other.person();
    expect((await far.auth.authenticate(accessToken)).actor).not.toBeNull();
    const told: string[] = [];
    far.access.onChange((change) => told.push(change.kind));
    await other.auth.logout(actor, origin);
    expect((await other.auth.authenticate(accessToken)).refusal).toMatchObject({ reason: "session_ended" });
    await expect
      .poll(async () => (await far.auth.authenticate(accessToken)).refusal?.reason, { timeout: 5_000 })
      .toBe("session_ended");
    expect(told).toContain("session_ended");
    await Promise.all([other.stop(), far.stop()]);
  });

  test("are asked of the database by a node that hears of no changes", async () => {
    const secret = "one-secret-for-two-nodes-0123456789-02";
    const other = testServices(database, { jwtSecrets: [secret] });
    const deaf = testServices(database, { jwtSecrets: [secret] });
    const { actor, accessToken } = await other.person();
    deaf.background.stop();
    expect((await deaf.auth.authenticate(accessToken)).actor).not.toBeNull();
    await other.auth.logout(actor, origin);
    deaf.clock.advance({ seconds: 4 });
    expect((await deaf.auth.authenticate(accessToken)).refusal).toMatchObject({ reason: "session_ended" });
    await Promise.all([other.stop(), deaf.stop()]);
  });
});

test("a device is described by what its user agent says, and not at all by nonsense", () => {
  expect(describeDevice(null)).toEqual({ browser: null, os: null });
  expect(describeDevice("x".repeat(100_000))).toEqual({ browser: null, os: null });
  const iphone =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
  expect(describeDevice(iphone)).toMatchObject({ browser: "Safari 17", os: expect.stringContaining("iOS") });
});
