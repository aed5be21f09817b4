import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isReadOnTheWay, readSettings, serverUrl, writeSettings } from "./settings.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "parley-settings-"));
  vi.stubEnv("PARLEY_CONFIG_DIR", folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

test("a damaged file of settings is named, and none is no trouble", async () => {
  expect(await readSettings()).toEqual({});
  await writeSettings({ url: "http://127.0.0.1:3501" });
  expect(await readSettings()).toEqual({ url: "http://127.0.0.1:3501" });
  await writeFile(path.join(folder, "settings.json"), "garbage");
  await expect(readSettings()).rejects.toThrow(/settings\.json cannot be used: /);
});

test.each(["localhost", "localhost:3000", "chat.localhost", "127.0.0.1:3000", "127.8.9.1", "[::1]:3000"])(
  "%s is this machine",
  (given) => {
    expect(serverUrl(given)).toBe(`http://${given}`);
    expect(isReadOnTheWay(`http://${given}`)).toBe(false);
  },
);

test.each(["localhost.example.com", "127.example.com", "localhost-1.example.com", "notlocalhost", "10.0.0.1:3000"])(
  "%s is another",
  (given) => {
    expect(serverUrl(given)).toBe(`https://${given}`);
    expect(isReadOnTheWay(`http://${given}`)).toBe(true);
  },
);
