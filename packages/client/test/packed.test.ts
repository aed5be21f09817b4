import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BreakingProxy, breakingProxy } from "./breaking-proxy.ts";
import { Consumer, compilers, type Project, resolutions } from "./consumer.ts";
import { type StartedServer, startServer } from "./workspace.ts";

const budgetBytes = 20 * 1024;
const serverWords = /drizzle|\bhono\b|pglite|postgres|\bzod\b|\bContext\b|\bServices\b|\bnode:|@parley\/|\/packages\//i;

let consumer: Consumer;

beforeAll(async () => {
  consumer = await Consumer.create();
}, 180_000);

afterAll(() => consumer?.[Symbol.asyncDispose]());

describe("the tarball", () => {
  test("holds what is needed to use it, and nothing else", async () => {
    expect(await consumer.files()).toEqual(["LICENSE", "README.md", "dist/index.d.ts", "dist/index.js", "package.json"]);
  });

  test("names nothing of the server in its types", async () => {
    const lines = (await consumer.read("dist/index.d.ts")).split("\n");
    expect(lines.filter((line) => serverWords.test(line))).toEqual([]);
  });

  test("imports only what it declares, each with a version", async () => {
    const { dependencies } = JSON.parse(await consumer.read("package.json")) as { dependencies: Record<string, string> };
    const imported = [...importsOf(await consumer.read("dist/index.js")), ...importsOf(await consumer.read("dist/index.d.ts"))];
    expect(new Set(imported)).toEqual(new Set(Object.keys(dependencies)));
    expect(Object.values(dependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    expect(await consumer.read("package.json")).not.toMatch(/workspace:|catalog:/);
  });

  test("is small with everything it needs", async () => {
    const bytes = gzipSync(await consumer.bundle(), { level: 9 }).length;
    console.log(`The client with its dependencies: ${bytes} bytes gzipped, of ${budgetBytes}`);
    expect(bytes).toBeLessThan(budgetBytes);
  });
});

describe("the types", () => {
  const projects = keysOf(compilers).flatMap((compiler) => keysOf(resolutions).map((resolution) => ({ compiler, resolution })));

  test.each(projects)("hold for a strict consumer: $compiler, $resolution", { timeout: 60_000 }, async (project) => {
    expect(await consumer.compile("types.mts", project)).toEqual({ code: 0, output: "" });
    expect(await consumer.compile("node-types.mts", project)).toEqual({ code: 0, output: "" });
  });

  const project: Project = { compiler: "TypeScript 7", resolution: "bundler" };

  test("break a consumer when an event is renamed", async () => {
    const folder = await consumer.withDeclarations((text) => text.replaceAll('"text-delta"', '"text-piece"'));
    const { code, output } = await consumer.compile("types.mts", project, folder);
    expect(code).not.toBe(0);
    expect(output).toMatch(/types\.mts.*"text-delta"/);
  });

  test("break a consumer when the api becomes any", async () => {
    const folder = await consumer.withDeclarations((text) =>
      text.replace("type ParleyApi = TRPCClient<AppRouter>", "type ParleyApi = any"),
    );
    const { code, output } = await consumer.compile("types.mts", project, folder);
    expect(code).not.toBe(0);
    expect(output).toContain("Unused '@ts-expect-error' directive");
  });
});

describe("in plain Node", () => {
  let server: StartedServer;
  let proxy: BreakingProxy;

  beforeAll(async () => {
    server = await startServer(consumer.folder);
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
