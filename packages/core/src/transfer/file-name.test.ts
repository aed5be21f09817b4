import { expect, test } from "vitest";
import { fileName } from "./file-name.ts";

test("a file is named by its title, in its own script", () => {
  expect(fileName("A talk", 1, "json")).toBe("A talk.json");
  expect(fileName("שיחה על הים", 2, "md")).toBe("שיחה על הים-2.md");
  expect(fileName("حديث عن البحر", 1, "md")).toBe("حديث عن البحر.md");
  expect(fileName("Разговор № 7 👋🏽", 1, "md")).toBe("Разговор № 7 👋🏽.md");
});

test.each([
  ["../../etc/passwd", "etc passwd.json"],
  ["C:\\temp\\a?b*c", "C temp a b c.json"],
  ["a\0b\r\nc\u202ed\u2028e", "a b c d e.json"],
  ["...hidden", "hidden.json"],
  ["-rf", "rf.json"],
  ["Ends in dots. . .", "Ends in dots.json"],
  ["nul", "_nul.json"],
  ["Con.fusion", "_Con.fusion.json"],
  ["com1", "_com1.json"],
  ["LPT³", "_LPT³.json"],
  ["Console", "Console.json"],
  ["", "conversation.json"],
  ["///", "conversation.json"],
  [". ~", "conversation.json"],
])("the title %j makes the name %j", (title, name) => {
  expect(fileName(title, 1, "json")).toBe(name);
});

test("a name has at most 80 characters, and no half of one", () => {
  for (const unit of ["x", "ש", "👋🏽", "👨‍👩‍👧‍👦", "é", "x ", "नि", "\u0301"]) {
    for (const ahead of ["", "a", "ab", "abc"]) {
      const name = fileName(ahead + unit.repeat(100), 12, "json");
      expect(name.length).toBeLessThanOrEqual(80);
      expect(name.isWellFormed()).toBe(true);
      expect(name).toMatch(/[^\s.]-12\.json$/u);
    }
  }
  expect(fileName("x".repeat(200), 1, "json")).toHaveLength(80);
});
