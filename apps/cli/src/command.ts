import { parseArgs } from "node:util";
import type { Context } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import { usage } from "./failure.ts";

export interface Option {
  type: "string" | "boolean";
  help: string;
  short?: string;
  /** What the value is called in the help. */
  value?: string;
  multiple?: boolean;
  /** What the shell completes. */
  choices?: readonly string[];
}

export type Options = Record<string, Option>;

type Value<One extends Option> = One["type"] extends "boolean" ? boolean : One["multiple"] extends true ? string[] : string;
export type Values<Given extends Options> = { [Name in keyof Given]?: Value<Given[Name]> };

interface Definition<Given extends Options> {
  /** One word, or two: `keys create`. */
  name: string;
  aliases?: readonly string[];
  summary: string;
  /** Of the arguments, as the usage line has them; without it there are none. */
  takes?: string;
  /** Of those that it takes; without a limit where it is left out. */
  atMost?: number;
  atLeast?: number;
  options?: Given;
  /** May give an exit code: one of ours, or that of a process that it has started. */
  run(context: Context, options: Values<Given>, words: string[]): Promise<number | undefined>;
}

export interface Command extends Omit<Definition<Options>, "run"> {
  options: Options;
  start(makeContext: (given: GivenEverywhere) => Promise<Context>, words: string[]): Promise<number>;
}

export const everywhere = {
  url: { type: "string", value: "URL", help: "The server; by default PARLEY_URL, or where you have signed in" },
  json: { type: "boolean", help: "Prints JSON" },
  help: { type: "boolean", short: "h", help: "Says what this command does" },
} as const satisfies Options;

export type GivenEverywhere = Values<typeof everywhere>;

/** An entry of the table of commands: help and completion are made from it, too. */
export function command<const Given extends Options>({ run, ...definition }: Definition<Given>): Command {
  const options: Options = definition.options ?? {};
  return {
    ...definition,
    options,
    async start(makeContext, words) {
      const { values, positionals } = parse(words, { ...options, ...everywhere });
      const { atLeast = 0, atMost = Number.POSITIVE_INFINITY, name, takes } = definition;
      if (takes === undefined && positionals.length > 0) throw usage(`\`parley ${name}\` takes no arguments`);
      if (positionals.length < atLeast) throw usage(`\`parley ${name}\` takes ${takes}`);
      if (positionals.length > atMost) throw usage(`\`parley ${name}\` takes ${takes}, and no more`);
      const context = await makeContext(values as GivenEverywhere);
      return (await run(context, values as Values<Given>, positionals)) ?? exitCodes.ok;
    },
  };
}

function parse(args: string[], options: Options) {
  const config = Object.fromEntries(
    Object.entries(options).map(([name, { type, short, multiple = false }]) => [
      name,
      { type, multiple, ...(short && { short }) },
    ]),
  );
  try {
    return parseArgs({ args, options: config, allowPositionals: true, strict: true });
  } catch (error) {
    throw usage(error instanceof Error ? (error.message.split(". ", 1)[0] ?? "") : String(error));
  }
}
