import { expect, test } from "vitest";
import { excerptAround, excerptFromStart, possibleWords } from "./excerpts.ts";

const around = (text: string, forms: string[], isCut = false) =>
  excerptAround(
    text,
    possibleWords(text, forms).filter(({ form }) => forms.includes(form)),
    isCut,
  );
const found = (text: string, ...forms: string[]) => {
  const excerpt = around(text, forms);
  return excerpt && { ...excerpt, words: excerpt.matches.map(({ from, to }) => excerpt.text.slice(from, to)) };
};

test("a short text is its own excerpt, with every word that was found", () => {
  expect(found("Books about a book.", "books", "book")).toEqual({
    text: "Books about a book.",
    matches: [
      { from: 0, to: 5 },
      { from: 14, to: 18 },
    ],
    words: ["Books", "book"],
  });
});

test("of a long text it is what lies around the first word, cut between words", () => {
  const excerpt = found(`${"before ".repeat(100)}needle ${"after ".repeat(100)}needle`, "needle");
  expect(excerpt?.words).toEqual(["needle"]);
  expect(excerpt?.text).toMatch(/^…before (before )+needle (after )+after…$/);
  expect(excerpt?.text.length).toBeGreaterThan(150);
  expect(excerpt?.text.length).toBeLessThan(205);
});

test("a word is found with its marks, and never inside another word", () => {
  expect(found("קראתי את הסֵפֶר בבית", "הסֵפֶר")?.words).toEqual(["הסֵפֶר"]);
  expect(found("bookshop", "book")).toBeNull();
  expect(found("snake_case is-not camel/case", "case")?.words).toEqual(["case", "case"]);
});

test("where the rest of the text has to be read, nothing is shown yet", () => {
  expect(around(`${"x ".repeat(100)}needle and then`, ["needle"], true)).toBeNull();
  expect(around(`needle ${"x ".repeat(200)}`, ["needle"], true)?.text).toMatch(/^needle .*…$/);
});

test("words that cannot be forms of what was looked for are not asked about", () => {
  const forms = (text: string, lexeme: string) => possibleWords(text, [lexeme]).map(({ form }) => form);
  expect(forms("Running rivers, a cat ran. Cats!", "cat")).toEqual(["cat", "cats"]);
  expect(forms("ёлка под ёлками", "елк")).toEqual(["ёлка", "ёлками"]);
  expect(forms("والمكتبات في المدينة", "مكتب")).toEqual(["والمكتبات"]);
  expect(forms("בספר, הסֵפֶר וספרים", "ספר")).toEqual(["בספר", "הסֵפֶר"]);
  expect(forms("בGoogle", "googl")).toEqual(["בgoogle"]);
});

test("no surrogate pair and no character with its marks is cut, whatever the text is made of", () => {
  const pieces = [
    "a",
    "é",
    "e\u0301\u0323",
    "👩‍👩‍👧",
    "👍🏽",
    "𝒳",
    "ספר",
    "סֵפֶר",
    "كِتَاب",
    " ",
    "\n",
    "\u0301",
    "—",
    "x".repeat(40),
  ];
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const some = (count: number) => Array.from({ length: count }, () => pieces[random(pieces.length)]).join("");
  for (let round = 0; round < 500; round++) {
    const text = `${some(random(200))} needle ${some(random(200))}`;
    for (const excerpt of [around(text, ["needle"]), excerptFromStart(text, false)]) {
      const shown = excerpt?.text.replace(/^…|…$/g, "") ?? "";
      const at = text.indexOf(shown);
      const after = text.slice(at + shown.length);
      expect(at, text).toBeGreaterThanOrEqual(0);
      expect(shown.isWellFormed(), text).toBe(true);
      if (at > 0) expect(shown, text).not.toMatch(/^[\p{M}\u200d]/u);
      expect(after, text).not.toMatch(/^[\p{M}\u200d]/u);
      for (const { from, to } of excerpt?.matches ?? []) expect(excerpt?.text.slice(from, to)).toBe("needle");
    }
  }
});

test("a text of nothing but marks is cut all the same", () => {
  expect(excerptFromStart(`e${"\u0301".repeat(100_000)}`, false).text.length).toBeLessThan(210);
  expect(found(`needle e${"\u0301".repeat(100_000)}`, "needle")?.text.length).toBeLessThan(210);
  expect(found(`e${"\u0301".repeat(100_000)} needle`, "needle")?.words).toEqual(["needle"]);
});
