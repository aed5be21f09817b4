import { expect, test } from "vitest";
import { markdownWriter } from "./markdown.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what is looked for
const sgr = /\u001b\[([\d;]+)m/g;

function drawn(pieces: Iterable<string>): string {
  let out = "";
  const writer = markdownWriter((text) => {
    out += text;
  });
  for (const piece of pieces) writer.add(piece);
  writer.end();
  return out;
}

const named = (text: string) => text.replace(sgr, "<$1>");

test.each([
  ["**bold** and *italic* and _it_ and `code`", "<1>bold<22> and <3>italic<23> and <3>it<23> and <36>code<39>"],
  ["# Title\nText", "<1;4>Title<22;24>\nText"],
  ["- one\n* two\n  - three", "• one\n• two\n  • three"],
  ["2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"],
  ["`**not bold**`", "<36>**not bold**<39>"],
  ["a ** b", "a ** b"],
  ["never *closed\nnext", "never <3>closed<23>\nnext"],
  ["**bold *both* bold**", "<1>bold <3>both<23><1> bold<22>"],
  [
    "```js\nconst a = b * c * d;\n# no title\n```\nafter",
    "<2>```js<22>\n<36>const a = b * c * d;\n# no title\n<39><2>```<22>\nafter",
  ],
  ["#hashtag", "#hashtag"],
  ["ends with *", "ends with *"],
  ["---\n", "---\n"],
])("%j", (text, expected) => {
  expect(named(drawn([text]))).toBe(expected);
});

test("nothing is lost, and pieces are drawn as the whole is", () => {
  const text = "# T\n\n- **a** `b`\n\n```\n*x*\n```\n1. _c_ d*e*f **g\nh** שלום 👩‍👩‍👧 ***i*** ~~~ # no\n\n~~~\nz\n~~~\n";
  const whole = drawn([text]);
  expect(drawn(text)).toBe(whole);
  for (let size = 2; size < 9; size++) expect(drawn(text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [])).toBe(whole);
  const plain = whole.replace(sgr, "");
  for (const word of ["T", "a", "b", "*x*", "c", "d", "e", "f", "g\nh", "שלום 👩‍👩‍👧", "i", "z"]) expect(plain).toContain(word);
});
