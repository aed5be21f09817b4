import { DrizzleQueryError } from "drizzle-orm";
import { expect, test } from "vitest";
import { createDescribeError } from "./describe-error.ts";
import { createScrub } from "./scrub.ts";

const describeError = createDescribeError(
  createScrub(["sk-canary-1234", "postgres://parley:p%40ss-canary@db.example:5432/parley"]),
);

const times = (text: string, part: string) => text.split(part).length - 1;

test("a statement that failed is said once, without what it was to write", () => {
  const cause = Object.assign(new Error("value out of range"), {
    code: "22003",
    table_name: "messages",
    detail: "what she wrote",
  });
  const error = new DrizzleQueryError("update messages\n  set content = $1", ["what she wrote", 7], cause);
  const logged = JSON.stringify(describeError(error));
  expect(times(logged, "update messages set content = $1")).toBe(1);
  expect(times(logged, "value out of range")).toBe(1);
  expect(describeError(error)).toMatchObject({ cause: { code: "22003", table: "messages" } });
  expect(logged).not.toContain("what she wrote");
});

test("a statement with a name is told by it, and a long one by its beginning", () => {
  const text = `select ${"column, ".repeat(100)}`;
  const named = Object.assign(new DrizzleQueryError(text, [], new Error("no")), { statement: "latest_samples" });
  expect(describeError(named)).toMatchObject({ statement: "latest_samples" });
  expect(JSON.stringify(describeError(named))).not.toContain("column");
  expect(describeError(new DrizzleQueryError(text, []))).toMatchObject({ statement: `${text.slice(0, 200)}…` });
});

test("what a message quotes of people's data is left out", () => {
  const data = Object.assign(new Error('invalid input syntax for type uuid: "what she wrote"'), { code: "22P02" });
  expect(describeError(data).message).toBe('invalid input syntax for type uuid: "[removed]"');
  for (const text of ['{"text":"what she wrote"', "what she wrote"]) {
    let refused: unknown;
    try {
      JSON.parse(text);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(SyntaxError);
    expect(JSON.stringify(describeError(refused))).not.toContain("she wrote");
  }
});

test("of an SDK's error neither headers nor the request are told, and no key that it quotes", () => {
  const error = Object.assign(new Error("Incorrect API key provided: sk-canary-1234 (Bearer abcdefgh12345678)"), {
    status: 401,
    headers: { authorization: "Bearer sk-canary-1234" },
    request: { body: "what she wrote" },
  });
  expect(describeError(error)).toMatchObject({
    type: "Error",
    status: 401,
    message: expect.stringContaining("Incorrect API key"),
  });
  const logged = JSON.stringify(describeError(error));
  expect(logged).not.toMatch(/sk-canary|abcdefgh|what she wrote|headers/);
});

test("an address is told without its password, whole or in part", () => {
  const logged = (message: string) => describeError(new Error(message)).message;
  expect(logged("postgres://parley:p%40ss-canary@db.example:5432/parley refused")).toBe("[removed] refused");
  expect(logged("redis://:other-secret@cache/0 refused")).toBe("redis://[removed]@cache/0 refused");
  expect(logged("the password p@ss-canary is wrong")).toBe("the password [removed] is wrong");
  expect(logged("GET /x?key=abc123&page=2 failed")).toBe("GET /x?key=[removed]&page=2 failed");
  expect(logged("connect ECONNREFUSED 127.0.0.1:5432")).toBe("connect ECONNREFUSED 127.0.0.1:5432");
});

test("any other error is told as it is, its stack without its message, and what is no error in a word", () => {
  const described = describeError(new TypeError("no", { cause: new Error("because") }));
  expect(described).toMatchObject({ type: "TypeError", message: "no", cause: { type: "Error", message: "because" } });
  expect(described.stack).toMatch(/^at .*describe-error\.test\.ts/);
  expect(describeError("just a text")).toEqual({ type: "string", message: "just a text" });
  expect(describeError({ token: "sk-canary-1234" })).toEqual({ type: "object", message: "" });
  expect(describeError(undefined)).toEqual({ type: "undefined", message: "undefined" });
});

test("a cause that is its own cause ends", () => {
  const error = new Error("round");
  error.cause = error;
  expect(JSON.stringify(describeError(error)).length).toBeLessThan(10_000);
});
