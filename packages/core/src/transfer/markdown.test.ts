import { expect, test } from "vitest";
import { markdownHead, markdownMessage } from "./markdown.ts";
import type { SavedMessage } from "./queries.ts";

const createdAt = new Date("2026-11-21T14:05:59.000Z");

function message(changes: Partial<SavedMessage>): SavedMessage {
  const content = changes.content ?? "Hello";
  return {
    id: "01a1fd8a-0000-7000-8000-000000000000",
    parentId: null,
    replyToId: null,
    role: "user",
    type: "text",
    author: { id: null, name: "Dana" },
    content,
    parts: content === "" ? [] : [{ type: "text", text: content }],
    status: "complete",
    provider: null,
    model: null,
    usage: null,
    finishReason: null,
    error: null,
    metadata: {},
    rating: null,
    editedAt: null,
    createdAt,
    ...changes,
  };
}

const answer = (changes: Partial<SavedMessage>) => message({ role: "assistant", author: null, model: "demo-1", ...changes });

test("a message says who wrote it and when, and stands in a quote", () => {
  expect(markdownMessage(message({ content: "Hello\n\nworld" }))).toBe("## Dana · 2026-11-21 14:05 UTC\n\n> Hello\n>\n> world\n");
  expect(markdownMessage(message({ author: { id: null, name: "דנה" }, content: "שלום (hello) עולם", editedAt: createdAt }))).toBe(
    "## דנה · 2026-11-21 14:05 UTC · edited\n\n> שלום (hello) עולם\n",
  );
});

test.each([
  ["a heading", "# Not ours\n## Dana · 2026-11-21 14:05 UTC"],
  ["an underlined heading", "Not ours\n===\nNor this\n---"],
  ["a fence that stays open", "```js\nlet x;"],
  ["a fence in a list", "- a\n\n  ```\n  b"],
  ["tildes", "~~~~\n# x"],
  ["a comment and a fold that stay open", "<!-- a\n\n<details>\n<pre>"],
  ["every kind of line end", "a\r# b\r\n# c\n# d"],
])("%s of a message stays within it", (_, content) => {
  const text = `${markdownMessage(message({ content }))}\n${markdownMessage(message({ content: "After" }))}`;
  const lines = text.split(/\r\n|\r|\n/);
  const unquoted = lines.filter((line) => line !== "" && !line.startsWith(">"));
  expect(unquoted).toEqual(["## Dana · 2026-11-21 14:05 UTC", "## Dana · 2026-11-21 14:05 UTC"]);
  const quoted = lines.filter((line) => line.startsWith(">")).map((line) => line.replace(/^> ?/, ""));
  expect(quoted).toEqual([...content.split(/\r\n|\r|\n/), "After"]);
});

test("a name, a title and a model are words, whatever is in them", () => {
  const author = { id: null, name: "# *Eve*\n```\n<b>\u202e[x](y)" };
  expect(markdownMessage(message({ author })).split("\n")[0]).toBe(
    "## \\# \\*Eve\\* \\`\\`\\` \\<b\\> \\[x\\](y) · 2026-11-21 14:05 UTC",
  );
  expect(markdownMessage(answer({ model: "a\nb_c" })).split("\n")[0]).toBe("## Assistant (a b\\_c) · 2026-11-21 14:05 UTC");
  const head = {
    id: "",
    title: "A\n# title",
    description: "# not\none",
    tags: [],
    metadata: {},
    model: null,
    systemPrompt: null,
  };
  expect(markdownHead({ ...head, createdAt })).toBe("# A \\# title\n\n> # not\n> one\n");
});

test("reasoning is folded, tools are code, and their fences are longer than any within", () => {
  const text = markdownMessage(
    answer({
      content: "Done.",
      parts: [
        { type: "reasoning", text: "````\n</details>" },
        { type: "tool-call", callId: "1", name: "sea*rch", input: { q: "```" } },
        { type: "tool-result", callId: "1", output: "# found\n```", isError: false },
        { type: "tool-result", callId: "2", output: undefined, isError: true },
        { type: "text", text: "Done." },
      ],
    }),
  );
  expect(text).toBe(`## Assistant (demo-1) · 2026-11-21 14:05 UTC

<details><summary>Reasoning</summary>

\`\`\`\`\`text
\`\`\`\`
</details>
\`\`\`\`\`

</details>

**Tool call: sea\\*rch**

\`\`\`\`json
{
  "q": "\`\`\`"
}
\`\`\`\`

**Tool result**

\`\`\`\`text
# found
\`\`\`
\`\`\`\`

**Tool error**

\`\`\`json
null
\`\`\`

> Done.
`);
});

test("an answer says when it did not end well", () => {
  const last = (changes: Partial<SavedMessage>) => markdownMessage(answer(changes)).trim().split("\n").at(-1);
  expect(last({ status: "stopped" })).toBe("*This answer was stopped.*");
  expect(last({ status: "interrupted" })).toBe("*This answer was interrupted.*");
  expect(last({ status: "running", content: "" })).toBe("*This answer is still being written.*");
  expect(last({ status: "failed", error: { reason: "internal", message: "It *broke*" } })).toBe(
    "*This answer has failed: It \\*broke\\**",
  );
});

test("a text that is nothing but marks is written quickly", () => {
  const content = "```` ".repeat(200_000);
  const text = markdownMessage(answer({ content, parts: [{ type: "reasoning", text: content }] }));
  expect(text).toContain("`````text");
});
