import { writeFile } from "node:fs/promises";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { usage } from "../failure.ts";
import { escapeCommands, toJson } from "../output/json.ts";
import { printText, tell } from "../output/say.ts";

const formats = ["markdown", "json"] as const;
type Format = (typeof formats)[number];

export const exportCommand = command({
  name: "export",
  summary: "Writes a conversation: the branch that you look at as Markdown, or all of it as JSON",
  takes: "CONVERSATION",
  atLeast: 1,
  atMost: 1,
  options: {
    format: { type: "string", short: "f", value: "FORMAT", help: "markdown or json", choices: formats },
    output: { type: "string", short: "o", value: "FILE", help: "A file that is not there yet, in place of the output" },
  },
  async run(context, { format: given, output }, [id = ""]) {
    const wanted = given ?? (context.json ? "json" : "markdown");
    const format = formats.find((each) => each === wanted);
    if (!format) throw usage(`--format is markdown or json, not "${wanted}"`);
    if (context.json && format === "markdown" && output === undefined) {
      throw usage("--json and --format markdown exclude each other");
    }
    const content = await readAll(context, id, format);
    if (output === undefined) printText(content);
    else {
      await writeFile(output, content, { flag: "wx" });
      tell(context, { file: output }, `Written to ${output}`);
    }
  },
});

async function readAll(context: Context, id: string, format: Format): Promise<string> {
  const { export: read } = context.parley().api.chat.conversations;
  const parts: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const { content, nextCursor } = await read.query({ id, format, cursor });
    parts.push(content);
    cursor = nextCursor;
  }
  if (format === "markdown") return parts.join("\n");
  if (parts.length === 1) return escapeCommands(parts.join());
  // Each part is a file of its own: they differ in their messages.
  const files = parts.map((part): { messages: unknown[] } => JSON.parse(part));
  return toJson({ ...files[0], messages: files.flatMap(({ messages }) => messages) });
}
