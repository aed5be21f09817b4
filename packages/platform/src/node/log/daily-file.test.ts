import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { dailyFile } from "./daily-file.ts";

function folderWith(...files: string[]) {
  const folder = mkdtempSync(path.join(os.tmpdir(), "parley-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const file of files) writeFileSync(path.join(folder, file), "before\n");
  return {
    folder,
    names: () => readdirSync(folder).sort(),
    text: (name: string) => readFileSync(path.join(folder, name), "utf8"),
  };
}

test("each day has its file, and a full one is followed by the next: no line is cut, none is lost", () => {
  const { folder, names, text } = folderWith();
  let now = new Date(2026, 10, 21, 23, 59);
  const file = dailyFile({ folder, name: "parley", days: 14, mostBytes: 40, now: () => now });
  expect(names()).toEqual([]);
  for (let line = 1; line <= 5; line++) file.write(`line ${line} שלום\n`);
  now = new Date(2026, 10, 22, 0, 1);
  file.write("tomorrow\n");
  expect(names()).toEqual([
    "parley.2026-11-21.1.log",
    "parley.2026-11-21.2.log",
    "parley.2026-11-21.3.log",
    "parley.2026-11-22.1.log",
  ]);
  for (const name of names()) expect(statSync(path.join(folder, name)).size).toBeLessThanOrEqual(40);
  expect(names().map(text).join("")).toBe(`${[1, 2, 3, 4, 5].map((line) => `line ${line} שלום\n`).join("")}tomorrow\n`);
});

test("a restart goes on with the file of the day, and removes what is too old, of its own name only", () => {
  const { folder, names, text } = folderWith(
    "parley.2026-11-06.1.log",
    "parley.2026-11-07.3.log",
    "parley.2026-11-21.2.log",
    "errors.2026-01-01.1.log",
    "parley.txt",
  );
  const file = dailyFile({ folder, name: "parley", days: 14, now: () => new Date(2026, 10, 21, 12) });
  file.write("after\n");
  expect(names()).toEqual(["errors.2026-01-01.1.log", "parley.2026-11-07.3.log", "parley.2026-11-21.2.log", "parley.txt"]);
  expect(text("parley.2026-11-21.2.log")).toBe("before\nafter\n");
});

test("two processes write to the same file", () => {
  const { folder, names, text } = folderWith();
  const open = () => dailyFile({ folder, name: "parley", days: 14, now: () => new Date(2026, 10, 21) });
  const [first, second] = [open(), open()];
  first.write("one\n");
  second.write("two\n");
  first.write("three\n");
  expect(names()).toHaveLength(1);
  expect(text(names()[0] ?? "")).toBe("one\ntwo\nthree\n");
});

test("a folder that goes away loses lines, and nothing is thrown; one that cannot be made is told at the start", () => {
  const { folder } = folderWith("taken");
  const inside = path.join(folder, "logs");
  const file = dailyFile({ folder: inside, name: "parley", days: 14, mostBytes: 10 });
  rmSync(inside, { recursive: true });
  file.write("a line that is lost\n");
  expect(() => dailyFile({ folder: path.join(folder, "taken"), name: "parley", days: 14 })).toThrow(/EEXIST|ENOTDIR/);
});
