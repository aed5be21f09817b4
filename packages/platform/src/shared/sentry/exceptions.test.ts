import { collectingLog } from "@parley/testing";
import { createStackParser } from "@sentry/core";
import { nodeStackLineParser } from "@sentry/core/server";
import { expect, test } from "vitest";
import { exceptionsOf } from "./exceptions.ts";
import { type Report, reportingLog } from "./reporting-log.ts";

const parse = createStackParser(nodeStackLineParser());
const told = (error: unknown) => exceptionsOf(error, "a call failed unexpectedly", { parse, isHandled: true });
const scopes = { run: <Result>(_: unknown, work: () => Result) => work(), current: () => undefined };

test("of an error nothing is told that a message may quote: not its text, nor lines of it that look like a stack", () => {
  const cause = Object.assign(new RangeError("canary one"), { code: "22P02", detail: "canary two" });
  const error = new TypeError("canary three\n    at canary (canary.ts:1:1)\nmore", { cause });
  const exceptions = told(error);
  expect(JSON.stringify(exceptions)).not.toContain("canary");
  expect(exceptions).toMatchObject([
    { type: "RangeError", value: "22P02" },
    { type: "TypeError", value: "a call failed unexpectedly", mechanism: { handled: true } },
  ]);
  for (const { stacktrace } of exceptions) expect(stacktrace?.frames?.at(-1)?.filename).toContain("exceptions.test.ts");
});

test.each([
  "canary",
  null,
  undefined,
  7,
  { canary: "canary" },
  Object.assign(new Error("canary"), { name: "a canary\n", stack: undefined }),
])("what is thrown may be anything", (thrown) => {
  const exceptions = told(thrown);
  expect(exceptions).toHaveLength(1);
  expect(JSON.stringify(exceptions)).not.toContain("canary");
});

test("a chain of causes that bites its tail comes to an end", () => {
  const error = new Error("one");
  error.cause = error;
  expect(told(error)).toHaveLength(5);
});

test("only errors are reported, each kind once in a while, and of a line's fields only ids and names", () => {
  const reports: Report[] = [];
  const log = collectingLog();
  const reporting = reportingLog(log, scopes, (report) => reports.push(report));
  const fail = () => new Error("canary");
  reporting.info({ err: fail() }, "info");
  reporting.warn({ err: fail() }, "warn");
  reporting.error({ text: "no error" }, "error");
  const fields = { requestId: "request-1", userId: "user-1", path: "chat.send", content: "canary", token: "canary" };
  for (let round = 0; round < 3; round++) reporting.error({ ...fields, err: fail() }, "a call failed unexpectedly");
  reporting.error({ path: "/share/canary?key=canary", err: fail() }, "a request failed unexpectedly");
  reporting.error({ kind: "uncaughtException", err: fail() }, "the process stops");
  expect(log.lines).toHaveLength(8);
  expect(reports.map(({ sentence, tags, userId, isHandled }) => ({ sentence, tags, userId, isHandled }))).toEqual([
    {
      sentence: "a call failed unexpectedly",
      tags: { request_id: "request-1", procedure: "chat.send" },
      userId: "user-1",
      isHandled: true,
    },
    { sentence: "a request failed unexpectedly", tags: {}, userId: undefined, isHandled: true },
    { sentence: "the process stops", tags: { kind: "uncaughtException" }, userId: undefined, isHandled: false },
  ]);
});
