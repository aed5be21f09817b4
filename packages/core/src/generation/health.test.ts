import { scriptedProvider, testClock } from "@parley/testing";
import { describe, expect, test } from "vitest";
import { createHealth } from "./health.ts";

describe("the health of keys and models", () => {
  function watched(keys = 2) {
    const clock = testClock();
    const provider = { ...scriptedProvider().provider, keys };
    const target = { provider, vendorModelId: "scripted" };
    return {
      clock,
      provider,
      target,
      other: { provider, vendorModelId: "scripted-2" },
      health: createHealth({ clock }, { coolDowns: new Map() }),
    };
  }

  test("the first key that does not rest is used", () => {
    const { health, target } = watched();
    expect(health.take(target)).toEqual({ key: 0 });
    health.failed(target, 0, { trouble: "quota", retryAfterMs: undefined });
    expect(health.take(target)).toEqual({ key: 1 });
  });

  test("a rate is limited for one model, a quota for the whole key", () => {
    const { health, target, other } = watched(1);
    health.failed(target, 0, { trouble: "rate", retryAfterMs: 5_000 });
    expect(health.take(target)).toBe("rate");
    expect(health.take(other)).toEqual({ key: 0 });
    health.failed(target, 0, { trouble: "quota", retryAfterMs: undefined });
    expect(health.take(other)).toBe("quota");
  });

  test("a key rests as long as its vendor says, and a day at most", () => {
    const { health, target, clock } = watched(1);
    health.failed(target, 0, { trouble: "rate", retryAfterMs: 120_000 });
    clock.advance({ seconds: 119 });
    expect(health.take(target)).toBe("rate");
    clock.advance({ seconds: 2 });
    expect(health.take(target)).toEqual({ key: 0 });
    health.failed(target, 0, { trouble: "quota", retryAfterMs: 365 * 86_400_000 });
    clock.advance({ seconds: 86_401 });
    expect(health.take(target)).toEqual({ key: 0 });
  });

  test("five failures in a row leave a model alone; one call tries it again", () => {
    const { health, target, other, clock } = watched(1);
    for (let failures = 0; failures < 5; failures++) {
      expect(health.take(target)).toEqual({ key: 0 });
      health.failed(target, 0, { trouble: "overloaded", retryAfterMs: undefined });
    }
    expect(health.take(target)).toBe("overloaded");
    expect(health.take(other)).toEqual({ key: 0 });
    clock.advance({ seconds: 31 });
    expect(health.take(target)).toEqual({ key: 0 });
    expect(health.take(target)).toBe("overloaded");
    health.failed(target, 0, { trouble: "network", retryAfterMs: undefined });
    expect(health.report(target.provider).pausedModels).toHaveLength(1);
    clock.advance({ seconds: 31 });
    expect(health.take(target)).toEqual({ key: 0 });
    health.abandoned(target);
    expect(health.take(target)).toEqual({ key: 0 });
    health.succeeded(target);
    health.failed(target, 0, { trouble: "overloaded", retryAfterMs: undefined });
    expect(health.take(target)).toEqual({ key: 0 });
  });

  test("a vendor that wants no wait at all gets a second", () => {
    const { health, target, clock } = watched(1);
    health.failed(target, 0, { trouble: "rate", retryAfterMs: 0 });
    expect(health.take(target)).toBe("rate");
    clock.advance({ seconds: 1 });
    expect(health.take(target)).toEqual({ key: 0 });
  });

  test("failures far apart are no row", () => {
    const { health, target, clock } = watched(1);
    for (let failures = 0; failures < 10; failures++) {
      health.failed(target, 0, { trouble: "overloaded", retryAfterMs: undefined });
      clock.advance({ seconds: 61 });
    }
    expect(health.take(target)).toEqual({ key: 0 });
  });

  test("what is wrong with a request says nothing of the vendor", () => {
    const { health, target } = watched(1);
    for (let failures = 0; failures < 10; failures++)
      health.failed(target, 0, { trouble: "bad_request", retryAfterMs: undefined });
    expect(health.take(target)).toEqual({ key: 0 });
  });
});
