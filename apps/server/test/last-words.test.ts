import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { processes } from "./process-kit.ts";

const { started, signUp, folder } = processes();

const logs = () => path.join(folder(), "logs");
const env = () => ({ LOG_DIR: logs(), TASK_MODEL: "off", OLLAMA_URL: "off" });

/** All files of one kind, as their lines. */
function linesOf(kind: string): Record<string, unknown>[] {
  if (!existsSync(logs())) return [];
  const files = readdirSync(logs()).filter((name) => name.startsWith(`${kind}.`));
  const text = files.map((name) => readFileSync(path.join(logs(), name), "utf8")).join("");
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Goes wrong when it is told to, and leaves no time for anything after that. */
function preload(trouble: string): string[] {
  const file = path.join(folder(), "preload.mjs");
  const die = `process.kill(process.pid, "SIGKILL")`;
  const arm = `for (const kind of ["uncaughtException", "unhandledRejection"]) process.on(kind, () => ${die});`;
  writeFileSync(file, `process.on("SIGUSR2", () => { ${arm} setTimeout(() => { ${trouble} }, 1); });`);
  return ["--import", pathToFileURL(file).href];
}

test.each([
  ["crashes", "uncaughtException", `throw new Error("planted in a timer");`],
  ["rejections", "unhandledRejection", `Promise.reject(new Error("planted in a timer"));`],
])(
  "%s have a file of their own, written before the process is gone",
  async (kind, name, trouble) => {
    const server = await started(env(), preload(trouble));
    await signUp(server);
    server.child.kill("SIGUSR2");
    await server.exited;
    expect(server.child.signalCode).toBe("SIGKILL");
    const [lastWords, ...more] = linesOf(kind);
    expect(more).toEqual([]);
    expect(lastWords).toMatchObject({
      kind: name,
      process: server.child.pid,
      err: { type: "Error", message: "planted in a timer" },
    });
    expect(JSON.stringify(lastWords)).toContain("preload.mjs");
    expect(linesOf("errors")).toEqual([expect.objectContaining({ kind: name, level: 50 })]);
    // What was said before it is there too.
    const all = linesOf("parley");
    expect(all.find(({ procedure }) => procedure === "auth.register")).toMatchObject({ reason: null });
    expect(all.at(-1)).toMatchObject({ kind: name });
    const others = ["crashes", "rejections"].filter((other) => other !== kind);
    for (const other of others) expect(linesOf(other)).toEqual([]);
  },
  120_000,
);

test("nothing that was logged is lost on SIGTERM, in the files or on standard output", async () => {
  const server = await started(env());
  const token = await signUp(server);
  const client = server.client(token);
  for (let round = 0; round < 25; round++) await Promise.all(Array.from({ length: 20 }, () => client.auth.me.query()));
  server.child.kill("SIGTERM");
  expect(await server.exited).toBe(0);
  const calls = linesOf("parley").filter(({ procedure }) => procedure === "auth.me");
  expect(calls).toHaveLength(500);
  expect(new Set(calls.map(({ userId }) => userId)).size).toBe(1);
  expect(server.output.split('"procedure":"auth.me"')).toHaveLength(501);
  expect(linesOf("crashes")).toEqual([]);
}, 120_000);
