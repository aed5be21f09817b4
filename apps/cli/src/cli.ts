import { version } from "../package.json";
import type { GivenEverywhere } from "./command.ts";
import { commands, findCommand } from "./commands.ts";
import { type Context, createContext } from "./context.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { type Failure, toFailure, usage } from "./failure.ts";
import { describeCommand, overview } from "./help.ts";
import { oneLine } from "./output/clean.ts";
import { toJson } from "./output/json.ts";

/** Gives the exit code. */
export async function runCommandLine(words: string[]): Promise<number> {
  let context: Context | undefined;
  try {
    return await dispatch(words, async (given) => {
      context = await createContext(given);
      return context;
    });
  } catch (error) {
    const failure = toFailure(error, context?.url ?? "");
    report(failure, context?.json ?? words.includes("--json"));
    if (process.env.PARLEY_DEBUG) console.error(error);
    return failure.code;
  } finally {
    await context?.close();
  }
}

async function dispatch(given: string[], makeContext: (given: GivenEverywhere) => Promise<Context>): Promise<number> {
  const { front, words } = splitFront(given);
  const [first = "help"] = words;
  if (first === "--version" || first === "-v") return say(`${version}\n`);
  const isHelp = first === "help";
  const isJson = [...front, ...beforeDashes(words)].includes("--json");
  if (isJson && (isHelp || asksForHelp(words))) throw usage("Help is not printed as JSON");
  if (first === "--help" || first === "-h" || (isHelp && words.length < 2)) return say(overview());
  const named = isHelp ? words.slice(1) : words;
  const found = findCommand(named);
  if (!found) throw noCommand(named[0] ?? "");
  const { command, rest } = found;
  if (isHelp || asksForHelp(rest)) return say(describeCommand(command));
  return command.start(makeContext, [...front, ...rest]);
}

/** What every command takes may also stand before it. */
function splitFront(given: string[]): { front: string[]; words: string[] } {
  let length = 0;
  for (let word = given[0]; word !== undefined; word = given[length]) {
    if (word === "--url") length += 2;
    else if (word === "--json" || word.startsWith("--url=")) length += 1;
    else break;
  }
  return { front: given.slice(0, length), words: given.slice(length) };
}

function beforeDashes(words: string[]): string[] {
  const end = words.indexOf("--");
  return end === -1 ? words : words.slice(0, end);
}

function asksForHelp(words: string[]): boolean {
  return beforeDashes(words).some((word) => word === "--help" || word === "-h");
}

function say(text: string): ExitCode {
  process.stdout.write(text);
  return exitCodes.ok;
}

/** One line, whatever the server has said. */
function report({ reason, message, requestId }: Failure, isJson: boolean) {
  const line = isJson
    ? toJson({ error: { reason, message, requestId } })
    : `parley: ${oneLine(message)} (${[reason, requestId].filter(Boolean).join(", ")})`;
  process.stderr.write(`${line}\n`);
}

function noCommand(word: string): Failure {
  const nearest = commands.find(({ name }) => name.startsWith(word.slice(0, 3)) && word.length > 1);
  const hint = nearest ? `; do you mean "${nearest.name}"?` : "";
  return usage(`There is no command "${word}"${hint}: \`parley help\` lists them`);
}
