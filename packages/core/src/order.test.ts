import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

/** As in docs/architecture.md: each may import those below it. */
const subjects = ["transfer", "turns", "messages", "context", "tasks", "runs", "presence", "conversations", "live"];

test("what chat is made of imports only what stands below it", () => {
  const upward = subjects.flatMap((subject, place) => {
    const folder = path.join(import.meta.dirname, subject);
    const files = readdirSync(folder).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
    return files.flatMap((name) => {
      const imported = readFileSync(path.join(folder, name), "utf8").matchAll(/from "\.\.\/([a-z-]+)\//g);
      const above = Array.from(imported, ([, other = ""]) => other).filter((other) => subjects.slice(0, place).includes(other));
      return above.map((other) => `${subject}/${name} imports ${other}`);
    });
  });
  expect(upward).toEqual([]);
});
