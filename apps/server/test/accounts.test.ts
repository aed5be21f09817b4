import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestApp, type Transport, testApp } from "./kit.ts";
import { places } from "./workerd.ts";

const missing = "01a1fd8a-0000-7000-8000-000000000000";
const transports: Transport[] = ["http", "websocket"];
const combinations = places.flatMap((database) => transports.map((transport) => ({ database, transport })));
const refusedAs = (reason: string) => ({ data: { reason } });

describe.each(combinations)("accounts on $database over $transport", ({ database, transport }) => {
  let app: TestApp;
  let admin: Awaited<ReturnType<TestApp["person"]>>;
  beforeAll(async () => {
    app = await testApp({ database });
    // The first account of all.
    admin = await app.person(transport);
  });
  afterAll(() => app.stop());

  test("a key does what it was made for, and ends when it is revoked", async () => {
    const { api, user, token } = await app.person(transport);
    const { key, apiKey } = await api.apiKey.create.mutate({ name: "cron", scopes: ["account.read"] });
    const byKey = app.client(key, transport);
    expect(await byKey.user.profile.query()).toMatchObject({ id: user.id });
    await expect(byKey.user.update.mutate({ bio: "x" })).rejects.toMatchObject(refusedAs("forbidden"));
    await expect(byKey.chat.conversations.list.query({})).rejects.toMatchObject(refusedAs("forbidden"));
    await expect(byKey.apiKey.create.mutate({ name: "more" })).rejects.toMatchObject(refusedAs("forbidden"));
    await expect(byKey.user.export.query()).rejects.toMatchObject(refusedAs("forbidden"));
    expect(await api.apiKey.list.query()).toMatchObject([{ id: apiKey.id, scopes: ["account.read"] }]);
    // Over a socket the answer may come after the socket's end: the rights of its owner have changed.
    await app.client(token).apiKey.revoke.mutate({ id: apiKey.id });
    const again = app.client(key, transport).user.profile.query();
    await expect(again).rejects.toMatchObject(refusedAs("unauthenticated"));
  });

  test("a key with every scope still makes no key and deletes no account", async () => {
    const { api, password } = await app.person(transport);
    const { key } = await api.apiKey.create.mutate({ name: "all", scopes: ["*"] });
    const byKey = app.client(key, transport);
    expect(await byKey.user.update.mutate({ timeZone: "Asia/Jerusalem" })).toMatchObject({ timeZone: "Asia/Jerusalem" });
    await expect(byKey.apiKey.create.mutate({ name: "more" })).rejects.toMatchObject(refusedAs("forbidden"));
    await expect(byKey.user.deleteAccount.mutate({ password })).rejects.toMatchObject(refusedAs("forbidden"));
  });

  test("an administrator's key manages accounts only where it was made for that", async () => {
    const { key } = await admin.api.apiKey.create.mutate({ name: "chat" });
    const { key: manager } = await admin.api.apiKey.create.mutate({ name: "admin", scopes: ["users.manage"] });
    await expect(app.client(key, transport).admin.users.list.query({})).rejects.toMatchObject(refusedAs("forbidden"));
    const { items } = await app.client(manager, transport).admin.users.list.query({ limit: 1 });
    expect(items).toHaveLength(1);
    const { user } = await app.person(transport);
    const crown = app.client(manager, transport).admin.users.setRole.mutate({ id: user.id, role: "admin" });
    await expect(crown).rejects.toMatchObject(refusedAs("forbidden"));
  });

  test("suspension and a new role act at once on whoever is signed in", async () => {
    const { user, token, email, password } = await app.person(transport);
    const call = () => app.client(token, transport).admin.users.list.query({});
    await expect(call()).rejects.toMatchObject(refusedAs("forbidden"));
    await admin.api.admin.users.setRole.mutate({ id: user.id, role: "admin" });
    await call();
    await admin.api.admin.users.suspend.mutate({ id: user.id });
    await expect(call()).rejects.toMatchObject(refusedAs("account_disabled"));
    const login = () => app.client(null).auth.login.mutate({ identifier: email, password });
    await expect(login()).rejects.toMatchObject(refusedAs("account_disabled"));
    await admin.api.admin.users.restore.mutate({ id: user.id });
    await admin.api.admin.users.setRole.mutate({ id: user.id, role: "user" });
    await expect(call()).rejects.toMatchObject(refusedAs("forbidden"));
    await login();
    const { items } = await admin.api.admin.audit.list.query({ actorId: admin.user.id, action: "account.suspend" });
    expect(items).toMatchObject([{ target: `user:${user.id}`, outcome: "done" }]);
  });

  test("the last administrator stays; another's account and none are the same", async () => {
    const { id } = admin.user;
    const { password, api } = admin;
    await expect(api.user.deleteAccount.mutate({ password })).rejects.toMatchObject(refusedAs("conflict"));
    await expect(api.admin.users.suspend.mutate({ id })).rejects.toMatchObject(refusedAs("conflict"));
    await expect(api.admin.users.suspend.mutate({ id: missing })).rejects.toMatchObject(refusedAs("not_found"));
    const stranger = await app.person(transport);
    for (const unknown of [id, missing]) {
      const suspend = stranger.api.admin.users.suspend.mutate({ id: unknown });
      await expect(suspend).rejects.toMatchObject(refusedAs("forbidden"));
    }
  });

  test("a deleted account is gone with its sessions and keys, and its address is free again", async () => {
    const { api, email, password, token } = await app.person(transport);
    const { key } = await api.apiKey.create.mutate({ name: "cron" });
    await api.chat.send.mutate({ clientMessageId: "1", content: "Mine", answer: false });
    const { conversations, profile } = await api.user.export.query();
    expect(profile.email).toBe(email);
    expect(conversations).toMatchObject([{ messages: [{ content: "Mine", createdAt: expect.any(Date) }] }]);
    await expect(api.user.deleteAccount.mutate({ password: "wrong" })).rejects.toMatchObject(refusedAs("invalid_credentials"));
    // Over a socket the answer may come after the socket's end.
    await api.user.deleteAccount.mutate({ password }).catch(() => null);
    await expect(app.client(token).auth.me.query()).rejects.toMatchObject(refusedAs("session_ended"));
    await expect(app.client(key).auth.me.query()).rejects.toMatchObject(refusedAs("unauthenticated"));
    const login = app.client(null).auth.login.mutate({ identifier: email, password });
    await expect(login).rejects.toMatchObject(refusedAs("invalid_credentials"));
    await app.client(null).auth.register.mutate({ email, password });
  });

  test("input that cannot be stored is named", async () => {
    const { api } = await app.person(transport);
    for (const call of [
      () => api.user.update.mutate({ displayName: "\0" }),
      () => api.user.update.mutate({ timeZone: "Asia/Atlantis" }),
      () => api.user.setPreferences.mutate({ a: "\ud800" }),
      () => api.user.export.query({ cursor: "x".repeat(101) }),
      () => api.apiKey.create.mutate({ name: "", scopes: ["chat.read"] }),
      () => api.apiKey.revoke.mutate({ id: "no" }),
    ]) {
      await expect(call()).rejects.toMatchObject({ data: { reason: "invalid_input", issues: [{ path: expect.any(String) }] } });
    }
  });
});
