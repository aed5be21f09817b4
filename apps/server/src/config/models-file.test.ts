import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConfigError } from "./config.ts";
import { readModelsFile } from "./models-file.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "parley-models-file-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(text: string) {
  const file = path.join(folder, "models.json");
  await writeFile(file, text);
  return readModelsFile(file);
}

test("no file, nothing to correct", async () => {
  expect(await readModelsFile(null)).toEqual([]);
});

test("a file that is not there stops the start", async () => {
  await expect(readModelsFile(path.join(folder, "nowhere.json"))).rejects.toThrow(/MODELS_FILE .*nowhere\.json: ENOENT/);
});

test("the entries are handed on as they are", async () => {
  const entry = { provider: "anthropic", id: "claude", prices: null, plans: ["pro"], hidden: false };
  expect(await read(JSON.stringify({ models: [entry] }))).toEqual([entry]);
});

test.each([
  ["{", /: it is not JSON: /],
  ["[]", /: the file: /],
  ['{"models":[],"model":[]}', /: the file: .*"model"/],
  ['{"models":{}}', /: models: /],
  ['{"models":[{"id":"x"}]}', /: models\[0\] "x", provider: /],
  ['{"models":[{"provider":"a","id":"x"},{"provider":"a","id":"y","price":1}]}', /: models\[1\] "y": .*"price"/],
  ['{"models":[{"provider":"a","id":"x","prices":{"input":"3"}}]}', /: models\[0\] "x", prices\.input: /],
  ['{"models":[{"provider":"a","id":"x","prices":{"input":-3,"cacheRead":0,"cacheWrite":0,"output":0}}]}', /prices\.input: /],
  ['{"models":[{"provider":"a","id":"x","contextLength":0}]}', /: models\[0\] "x", contextLength: /],
  ['{"models":[{"provider":"a","id":"x","inputs":["video"]}]}', /: models\[0\] "x", inputs\.0: /],
  ['{"models":[{"provider":"a","id":"x","plans":["gold"]}]}', /: models\[0\] "x", plans\.0: /],
  ['{"models":[{"provider":"a","id":"x"},{"provider":"a","id":"x"}]}', /: models\[1\] "x": the same model is there twice$/],
])("%s is refused with one line that says where", async (text, line) => {
  const refusal: unknown = await read(text).catch((error) => error);
  expect(refusal).toBeInstanceOf(ConfigError);
  expect(String(refusal)).toMatch(line);
  expect(String(refusal)).not.toContain("\n");
});
