import { expect, test } from "vitest";
import { cleanTitle } from "./title-text.ts";

test.each([
  ["Sailing around Cape Horn", "Sailing around Cape Horn"],
  ["  „Die Umrundung von Kap Hoorn“.\n", "Die Umrundung von Kap Hoorn"],
  ["הפלגה סביב כף הורן", "הפלגה סביב כף הורן"],
  ["«Плавание вокруг мыса Горн»", "Плавание вокруг мыса Горн"],
  ["「ホーン岬を回る航海」。", "ホーン岬を回る航海"],
  ["# **Title:** Cape *Horn*", "Cape Horn"],
  ["Title: Cape Horn", "Cape Horn"],
  ["\n\n  \n- Cape Horn\nand more of it", "Cape Horn"],
  ["Cape\tHorn\u0000\u202e\u200b", "Cape Horn"],
  ["Why?", "Why?"],
  ["C++ and #hashtags", "C++ and #hashtags"],
])("%j is titled %j", (said, title) => {
  expect(cleanTitle(said)).toBe(title);
});

test.each(["", " \n ", '""', "***", "---\n###", "\u202e\u200b", "🙂", `a${"\u0301".repeat(10_000)}`])(
  "%j is no title",
  (said) => {
    expect(cleanTitle(said)).toBeNull();
  },
);

test.each(["word ".repeat(2_000), "字".repeat(10_000), "👩‍👩‍👧‍👦 a".repeat(1_000), "🙂🙂 x".repeat(900)])(
  "a title of thousands of characters is cut between two",
  (said) => {
    const title = cleanTitle(said) ?? "";
    expect(title.length).toBeLessThanOrEqual(60);
    expect(title.length).toBeGreaterThan(0);
    expect(title.isWellFormed()).toBe(true);
    expect(title).not.toMatch(/\u200d…$/);
  },
);
