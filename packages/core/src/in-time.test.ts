import { expect, test } from "vitest";
import { inTime, TooLateError } from "./in-time.ts";

test("an answer comes with its time, and so does a failure", async () => {
  expect(await inTime(async () => "yes")).toEqual({ ms: expect.any(Number), answer: "yes" });
  expect(await inTime(async () => {})).toHaveProperty("answer");
  const failure = new Error("no");
  const thrown = () => {
    throw failure;
  };
  expect(await inTime(() => Promise.reject(failure))).toEqual({ ms: expect.any(Number), error: failure });
  expect(await inTime(thrown)).toEqual({ ms: expect.any(Number), error: failure });
});

test("nobody waits for what never answers, and what fails too late disturbs nobody", async () => {
  let fail = (_: Error) => {};
  const hanging = new Promise<void>((_, reject) => {
    fail = reject;
  });
  const found = await inTime(() => hanging, 1);
  expect(found).toMatchObject({ error: expect.any(TooLateError), ms: expect.any(Number) });
  fail(new Error("too late"));
  await expect(hanging).rejects.toThrow("too late");
});
