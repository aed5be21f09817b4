import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { type BreakingProxy, breakingProxy } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientPlaces } from "../../../apps/server/test/workerd.ts";
import { Consumer, compilers, type Project, resolutions } from "./consumer.ts";
import { type StartedServer, startServer } from "./workspace.ts";

const budgetBytes = 20 * 1024;
const reactBudgetBytes = 6 * 1024;
const serverWords = /drizzle|\bhono\b|pglite|postgres|\bzod\b|\bContext\b|\bServices\b|\bnode:\w|@parley\/|\/packages\//i;

let consumer: Consumer;

beforeAll(async () => {
  consumer = await Consumer.create({ svelte: "5.57.3" });
}, 180_000);

afterAll(() => consumer?.[Symbol.asyncDispose]());

describe("the tarball", () => {
  test("holds what is needed to use it, and nothing else", async () => {
    const files = ["index", "node", "react", "tabs"].flatMap((entry) => [`dist/${entry}.d.ts`, `dist/${entry}.js`]);
    expect(await consumer.files()).toEqual(["LICENSE", "README.md", ...files, "package.json"]);
  });

  test("names nothing of the server in its types", async () => {
    const lines = (
      await Promise.all(["index", "node", "react", "tabs"].map((entry) => consumer.read(`dist/${entry}.d.ts`)))
    ).join("\n");
    const told = lines.replaceAll(/["']@parley\/client(?:\/\w+)?["']/g, "the core").split("\n");
    expect(told.filter((line) => serverWords.test(line))).toEqual([]);
  });

  test("imports only what it declares, each with a version", async () => {
    const { dependencies } = JSON.parse(await consumer.read("package.json")) as { dependencies: Record<string, string> };
    const imported = [...importsOf(await consumer.read("dist/index.js")), ...importsOf(await consumer.read("dist/index.d.ts"))];
    expect(new Set(imported)).toEqual(new Set([...Object.keys(dependencies), "@parley/client"]));
    expect(Object.values(dependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    expect(await consumer.read("package.json")).not.toMatch(/workspace:|catalog:/);
  });

  test("keeps Node's modules out of everything but the entry for Node", async () => {
    const imported = importsOf(await consumer.read("dist/node.js"));
    expect(imported.filter((name) => !name.startsWith("node:"))).toEqual([]);
    expect(imported).toContain("node:fs");
    const declared = (await consumer.read("dist/node.d.ts")).replaceAll(/\/\*\*.*?\*\//gs, "");
    expect(importsOf(declared)).toEqual([]);
  });

  test("leaves React, and the core, to the page", async () => {
    const { peerDependencies } = JSON.parse(await consumer.read("package.json")) as { peerDependencies: Record<string, string> };
    const imported = new Set(importsOf(await consumer.read("dist/react.js")));
    expect(imported).toEqual(new Set([...Object.keys(peerDependencies), "@parley/client"]));
    expect((await consumer.read("dist/react.js")).startsWith('"use client";')).toBe(true);
  });

  test("is small with everything it needs", async () => {
    const sizeOf = async (...entries: string[]) => gzipSync(await consumer.bundle(...entries), { level: 9 }).length;
    const core = await sizeOf("@parley/client");
    const both = await sizeOf("@parley/client", "@parley/client/react");
    console.log(`The client with its dependencies: ${core} bytes gzipped, of ${budgetBytes}`);
    console.log(`Its part for React: ${both - core} bytes more, of ${reactBudgetBytes}`);
    console.log(`What pages load later, to share a connection with other tabs: ${await sizeOf("@parley/client/tabs")} bytes`);
    expect(core).toBeLessThan(budgetBytes);
    expect(both - core).toBeLessThan(reactBudgetBytes);
  });
});

describe("the types", () => {
  const projects = keysOf(compilers).flatMap((compiler) => keysOf(resolutions).map((resolution) => ({ compiler, resolution })));

  test.each(projects)("hold for a strict consumer: $compiler, $resolution", { timeout: 120_000 }, async (project) => {
    expect(await consumer.compile(["types.mts", "chat.tsx"], project)).toEqual({ code: 0, output: "" });
    expect(await consumer.compile(["node-types.mts"], project)).toEqual({ code: 0, output: "" });
  });

  const project: Project = { compiler: "TypeScript 7", resolution: "bundler" };

  test("hold for what the README shows", { timeout: 60_000 }, async () => {
    const readme = await consumer.read("README.md");
    expect(readme).toContain(await readFile(new URL("consumer/chat.tsx", import.meta.url), "utf8"));
    const examples = Array.from(readme.matchAll(/```tsx?\n(.*?)```/gs), ([, example = ""]) => example);
    expect(examples.length).toBeGreaterThan(4);
    const files = examples.map((_, index) => `readme-${index}.tsx`);
    for (const [index, file] of files.entries()) await writeFile(path.join(consumer.folder, file), examples[index] ?? "");
    expect(await consumer.compile(files, project)).toEqual({ code: 0, output: "" });
  });

  test("break a consumer when an event is renamed", async () => {
    const folder = await consumer.withDeclarations((text) => text.replaceAll('"text-delta"', '"text-piece"'));
    const { code, output } = await consumer.compile(["types.mts"], project, folder);
    expect(code).not.toBe(0);
    expect(output).toMatch(/types\.mts.*"text-delta"/);
  });

  test("break a consumer when the api becomes any", async () => {
    const folder = await consumer.withDeclarations((text) =>
      text.replace("type ParleyApi = TRPCClient<AppRouter>", "type ParleyApi = any"),
    );
    const { code, output } = await consumer.compile(["types.mts"], project, folder);
    expect(code).not.toBe(0);
    expect(output).toContain("Unused '@ts-expect-error' directive");
  });
});

test("the component for Svelte of the README compiles, and bundles", { timeout: 60_000 }, async () => {
  const readme = await consumer.read("README.md");
  const recipe = /```svelte\n(.*?)```/s.exec(readme)?.[1] ?? "";
  await writeFile(path.join(consumer.folder, "recipe.svelte"), recipe);
  const program = (await consumer.svelte("recipe.svelte")).toString();
  for (const part of ["Why is the sky blue?", "https://chat.example.com", "svelte"]) expect(program).toContain(part);
});

describe.each(clientPlaces)("in plain Node, with the server on %s", (place) => {
  let server: StartedServer;
  let proxy: BreakingProxy;

  beforeAll(async () => {
    server = await startServer(consumer.folder, place);
    proxy = await breakingProxy(server.url);
  }, 180_000);

  afterAll(async () => {
    proxy?.close();
    await server?.stop();
  });

  test.each(["websocket", "sse"])("talks to a real server: %s", { timeout: 60_000 }, async (transport) => {
    const result = JSON.parse(await consumer.node("live.mjs", server.url, transport));
    expect(result).toMatchObject({
      models: ["demo"],
      socketModels: ["demo"],
      signedIn: true,
      followed: { status: "completed", gaps: 0 },
      replayed: { status: "completed", gaps: 0, text: result.followed.text },
      stored: result.followed.text,
      isTold: true,
      refusals: { guest: "unauthenticated", unknown: "not_found", invalid: "invalid_input" },
      eventsBeforeLeaving: 3,
      endedByClose: true,
    });
    expect(result.followed.text).toContain("Grüße, 🌍!");
    expect(result.followed.deltas).toBeGreaterThan(10);
  });

  test.each(["websocket", "sse"])("misses and repeats nothing on a bad line: %s", { timeout: 60_000 }, async (transport) => {
    const before = proxy.broken();
    const result = JSON.parse(await consumer.node("resume.mjs", proxy.url, transport));
    expect(proxy.broken() - before).toBeGreaterThan(1);
    expect(result).toMatchObject({ status: "completed", gaps: 0, text: result.stored });
  });

  test("runs the recipe of the README", { timeout: 60_000 }, async () => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const recipe = /```js\n(.*?)```/s.exec(readme)?.[1] ?? "";
    await writeFile(path.join(consumer.folder, "recipe.mjs"), recipe.replace("http://localhost:3000", server.url));
    expect(await consumer.node("recipe.mjs")).toContain("This is Parley's demonstration");
  });
});

/** The packages that a file imports, from subpaths too. */
function importsOf(source: string): string[] {
  const specifiers = source.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\(\s*|types=)["']([^"']+)["']/g);
  return Array.from(specifiers, ([, specifier = ""]) => specifier)
    .filter((specifier) => !specifier.startsWith("."))
    .map((specifier) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);
}

function keysOf<Key extends string>(record: Record<Key, string>): Key[] {
  return Object.keys(record) as Key[];
}
