import { collectingLog, memoryCache, nodeBackground, scriptedProvider, testClock } from "@parley/testing";
import { afterEach, describe, expect, test } from "vitest";
import { createCaches } from "../cache/caches.ts";
import { createMeters } from "../metrics/meters.ts";
import type { Settings } from "../settings.ts";
import { createModels } from "./models.ts";
import { type ModelEntry, type Provider, ProviderError, unknownModel, type VendorModel } from "./provider.ts";
import { createVendorLists } from "./vendor-lists.ts";

const entry = (id: string, more: Partial<ModelEntry> = {}): ModelEntry => ({ ...unknownModel, id, name: id, ...more });

function provider(name: string, models: ModelEntry[], more: Partial<Provider> = {}): Provider {
  return { ...scriptedProvider().provider, name, label: name, models, listModels: async () => [], ...more };
}

describe("the models on offer", () => {
  const backgrounds: ReturnType<typeof nodeBackground>[] = [];
  afterEach(() => {
    for (const background of backgrounds.splice(0)) background.stop();
  });

  async function offer(
    providers: Provider[],
    settings: Partial<Pick<Settings, "defaultModel" | "fallbackModels" | "taskModel" | "modelOverrides">> = {},
  ) {
    const log = collectingLog();
    const background = nodeBackground(log);
    backgrounds.push(background);
    const usual = { defaultModel: null, fallbackModels: [], taskModel: "off", modelOverrides: [] };
    const clock = testClock();
    const access = { isFresh: () => true, onChange() {} };
    const caches = createCaches({ cache: memoryCache(clock), background, clock, log }, { access, meters: createMeters() });
    const lists = createVendorLists({ caches });
    const models = createModels({ providers, background, log }, { ...usual, ...settings }, { lists });
    await background.settled();
    return { ...models, log, ids: () => models.list().items.map(({ id }) => id) };
  }

  test("the first model of the first configured provider answers when nobody is named", async () => {
    const absent = provider("absent", [entry("never")], { keys: 0 });
    const models = await offer([
      absent,
      provider("one", [entry("old", { retired: true }), entry("new")]),
      provider("two", [entry("x")]),
    ]);
    expect(models.ids()).toEqual(["new", "x"]);
    expect(models.choices("free", undefined, false).choice).toMatchObject({ fallback: "new" });
    expect(models.get("old")).toMatchObject({ retired: true });
    expect(() => models.get("never")).toThrow("There is no model");
  });

  test("a stand-in is offered only while nothing else is", async () => {
    const standIn = provider("stand-in", [entry("pretend")], { isStandIn: true });
    const models = await offer([provider("empty", []), standIn]);
    expect(models.ids()).toEqual(["pretend"]);
    await models.add(provider("found", [entry("real")]));
    expect(models.ids()).toEqual(["real"]);
  });

  test("what two providers call alike is told apart", async () => {
    const models = await offer([provider("one", [entry("same")]), provider("two", [entry("same")])]);
    expect(models.ids()).toEqual(["same", "two/same"]);
    expect(models.choose("two/same", "free")).toMatchObject({ vendorModelId: "same", provider: { name: "two" } });
  });

  test("the vendor's list fills in, adds and takes away", async () => {
    const reported: VendorModel[] = [
      { id: "known-20260101", contextLength: 1_000, outputLimit: 5 },
      { id: "brand-new", name: "Brand new", tools: true },
    ];
    const known = [entry("known", { outputLimit: 10 }), entry("gone")];
    const models = await offer([provider("one", known, { listModels: async () => reported })]);
    expect(models.list().items).toMatchObject([
      { id: "known", contextLength: 1_000, outputLimit: 10 },
      { id: "brand-new", name: "Brand new", tools: true, prices: null },
    ]);
  });

  test("a vendor that does not say leaves what was known, and is asked with each key", async () => {
    const asked: number[] = [];
    const listModels: Provider["listModels"] = async ({ key }) => {
      asked.push(key);
      throw new ProviderError("auth", "no");
    };
    const models = await offer([provider("one", [entry("known")], { keys: 2, listModels })]);
    expect(models.ids()).toEqual(["known"]);
    expect(asked).toEqual([0, 1]);
    expect(models.log.lines).toMatchObject([{ level: "warn", fields: { provider: "one" } }]);
  });

  test("the operator's word is the last", async () => {
    const listModels = async () => [{ id: "kept" }, { id: "hidden" }];
    const modelOverrides = [
      { provider: "one", id: "hidden", hidden: true },
      { provider: "one", id: "own", name: "Our own" },
      { provider: "one", id: "kept", prices: { input: 1, cacheRead: 2, cacheWrite: 3, output: 4 } },
    ];
    const models = await offer([provider("one", [], { listModels })], { modelOverrides });
    expect(models.list().items).toMatchObject([
      { id: "own", name: "Our own" },
      { id: "kept", prices: { output: 4 } },
    ]);
  });

  test("plans have their own default, and fallbacks within it", async () => {
    const models = await offer([provider("one", [entry("dear", { plans: ["pro"] }), entry("cheap")])], {
      fallbackModels: ["dear", "x"],
    });
    expect(models.choices("pro", undefined, false).choice.fallback).toBe("dear");
    expect(models.choices("free", undefined, false).choice.fallback).toBe("cheap");
    expect(JSON.parse(models.choices("free", undefined, false).choice.providers)).toEqual({ cheap: "one" });
    expect(JSON.parse(models.choices("pro", undefined, false).choice.providers)).toEqual({ dear: "one", cheap: "one" });
    expect(JSON.parse(models.choices("pro", undefined, true).choice.providers)).toEqual({ dear: "one" });
    expect(JSON.parse(models.choices("pro", "cheap", false).choice.providers)).toEqual({ cheap: "one" });
    expect(models.fallbacks("free", undefined)).toEqual([]);
    expect(models.fallbacks("pro", undefined)).toMatchObject([{ vendorModelId: "dear" }]);
    expect(() => models.fallbacks("free", ["dear"])).toThrow("Your plan does not include");
  });

  test("a wrong default stops the start where every vendor has told its models", async () => {
    const wrong = { defaultModel: "no-such" };
    await expect((await offer([provider("one", [entry("a")])], wrong)).checkNames({ moreMayCome: false })).rejects.toThrow(
      'DEFAULT_MODEL is "no-such"',
    );
    const silent = provider("one", [entry("a")], { listModels: () => Promise.reject(new ProviderError("network", "away")) });
    await expect((await offer([silent], wrong)).checkNames({ moreMayCome: false })).resolves.toBeUndefined();
    await expect(
      (await offer([provider("one", [entry("a")])], { defaultModel: "a" })).checkNames({ moreMayCome: false }),
    ).resolves.toBeUndefined();
  });

  test("a default that no remembered list has is asked of the vendor itself, before it is called wrong", async () => {
    const lists = [[{ id: "a" }], [{ id: "a" }, { id: "new" }]];
    const listModels = async () => lists.shift() ?? [];
    const models = await offer([provider("one", [entry("a")], { listModels })], { defaultModel: "new" });
    expect(models.ids()).toEqual(["a"]);
    await models.checkNames({ moreMayCome: false });
    expect(models.ids()).toEqual(["a", "new"]);
    expect(lists).toEqual([]);
  });

  test("so does a wrong model for our own tasks, and the words that name none are no models", async () => {
    const offerA = (taskModel: string) => offer([provider("one", [entry("a")])], { taskModel });
    await expect((await offerA("no-such")).checkNames({ moreMayCome: false })).rejects.toThrow('TASK_MODEL is "no-such"');
    for (const taskModel of ["same", "off", "a"]) {
      await expect((await offerA(taskModel)).checkNames({ moreMayCome: false })).resolves.toBeUndefined();
    }
  });

  test("without any model, sending says so", async () => {
    const models = await offer([]);
    expect(() => models.choices("free", undefined, false)).toThrow("No model is configured");
  });
});
