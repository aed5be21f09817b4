import { openTestDatabase, scriptedProvider, type TestDatabase, testServices } from "@parley/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ProviderError } from "../models/provider.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase("pglite");
});
afterAll(() => database.close());

test("a provider whose key rests for one model can still be asked, one whose only key rests cannot", async () => {
  const scripted = scriptedProvider();
  const node = testServices(database, { providers: [scripted.provider] });
  const cellsOf = (name: string) => {
    const gauge = node.gauges.all.find((each) => each.name === name);
    return gauge?.kind === "gauge" ? Array.from(gauge.cells()) : [];
  };
  const { actor } = await node.person();
  const send = (clientMessageId: string) =>
    node.turns.send(actor, { content: "Hello", clientMessageId, model: "scripted", fallbacks: ["scripted-2"], failover: true });

  await send("one");
  (await scripted.next()).fail(new ProviderError("rate", "Too many", { retryAfterMs: 60_000 }));
  (await scripted.next()).text("Hello").end();
  await node.runs.settled();
  expect(cellsOf("parley_provider_keys")).toContainEqual({ labels: ["scripted", "ready"], value: 0 });
  expect(cellsOf("parley_provider_up")).toEqual([{ labels: ["scripted"], value: 1 }]);

  await send("two");
  (await scripted.next()).fail(new ProviderError("quota", "Used up"));
  await node.runs.settled();
  expect(cellsOf("parley_provider_up")).toEqual([{ labels: ["scripted"], value: 0 }]);
  await node.stop();
});
