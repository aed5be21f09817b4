import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { usualRules } from "@parley/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readAlertRules } from "./alert-rules-file.ts";
import { ConfigError } from "./config.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "parley-alert-rules-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(text: string) {
  const file = path.join(folder, "rules.json");
  await writeFile(file, text);
  return readAlertRules(file);
}

test("without a file the rules are as they are shipped", async () => {
  expect(await readAlertRules(null)).toEqual(usualRules);
});

test("a file changes what it names, switches off what it says, and nothing else", async () => {
  const rules = await read(
    JSON.stringify({
      rules: { memory: { over: 92.5, for: "2m", severity: "critical", quiet: "1h" }, cpu: { off: true }, heap: { off: false } },
    }),
  );
  const memory = usualRules.find(({ name }) => name === "memory");
  const changed = { ...memory, over: 92.5, forMs: 120_000, severity: "critical", quietMs: 3_600_000 };
  expect(rules).toEqual(usualRules.filter(({ name }) => name !== "cpu").map((rule) => (rule.name === "memory" ? changed : rule)));
});

test("the documentation has every rule, its severity and its times", async () => {
  const page = await readFile(new URL("../../../../docs/operations/alerts.md", import.meta.url), "utf8");
  const written = page.matchAll(/^\| `(\w+)` \| .* \| (at once|\w+) \| (\w+) \| (\w+) \|$/gm);
  const time = (milliseconds: number) => (milliseconds < 60_000 ? `${milliseconds / 1_000}s` : `${milliseconds / 60_000}m`);
  expect(Array.from(written, ([, ...cells]) => cells)).toEqual(
    usualRules.map(({ name, forMs, severity, quietMs }) => [
      name,
      forMs === 0 ? "at once" : time(forMs),
      severity,
      time(quietMs),
    ]),
  );
});

test("a file that is not there stops the start", async () => {
  await expect(readAlertRules(path.join(folder, "nowhere.json"))).rejects.toThrow(/ALERT_RULES .*nowhere\.json: ENOENT/);
});

test.each([
  ["{", /: it is not JSON: /],
  ["[]", /: the file: /],
  ["{}", /: rules: /],
  ['{"rules":{},"rule":{}}', /: the file: .*"rule"/],
  ['{"rules":{"memori":{"over":1}}}', /: rules\.memori: there is no such rule; there are database_away, .*memory/],
  ['{"rules":{"memory":90}}', /: rules\.memory: /],
  ['{"rules":{"memory":{"overs":90}}}', /: rules\.memory: .*"overs"/],
  ['{"rules":{"memory":{"over":"90"}}}', /: rules\.memory\.over: /],
  ['{"rules":{"memory":{"over":-1}}}', /: rules\.memory\.over: /],
  ['{"rules":{"memory":{"for":30}}}', /: rules\.memory\.for: /],
  ['{"rules":{"memory":{"for":"30"}}}', /: rules\.memory\.for: it takes a duration such as 90s/],
  ['{"rules":{"memory":{"quiet":"2d"}}}', /: rules\.memory\.quiet: it takes .* a day at most/],
  ['{"rules":{"memory":{"severity":"bad"}}}', /: rules\.memory\.severity: /],
  ['{"rules":{"memory":{"off":"yes"}}}', /: rules\.memory\.off: /],
])("%s is refused with one line that says where", async (text, line) => {
  const refusal: unknown = await read(text).catch((error) => error);
  expect(refusal).toBeInstanceOf(ConfigError);
  expect(String(refusal)).toMatch(line);
  expect(String(refusal)).not.toContain("\n");
});
