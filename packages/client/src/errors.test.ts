import superjson from "superjson";
import { expect, test } from "vitest";
import { createParley, isParleyError, memoryStore } from "./index.ts";

const refuse: typeof fetch = async () => {
  const data = { reason: "rate_limited", code: "TOO_MANY_REQUESTS", httpStatus: 429, requestId: "1" };
  return Response.json({ error: superjson.serialize({ message: "Too many", code: -32029, data }) }, { status: 429 });
};
const refused = { reason: "rate_limited", data: { requestId: "1" } };

test("what the server refuses has its reason before anybody asks whether it is the server's", async () => {
  const { api } = createParley({ url: "http://parley.test", fetch: refuse });
  await expect(api.model.list.query()).rejects.toMatchObject(refused);
});

test("a renewal that is refused has its reason too", async () => {
  const store = memoryStore();
  await store.write({ accessToken: "a", refreshToken: "b", expiresAt: 0, session: "c" });
  const { auth } = createParley({ url: "http://parley.test", fetch: refuse, auth: { store } });
  const failure = await auth.isSignedIn().catch((error: unknown) => error);
  expect(failure).toMatchObject(refused);
  expect(isParleyError(failure)).toBe(true);
});

test("asking whether an error is the server's changes nothing about it", () => {
  const foreign = Object.freeze(Object.assign(new Error("elsewhere"), { data: { reason: "not_found", requestId: "1" } }));
  expect(isParleyError(foreign)).toBe(false);
});
