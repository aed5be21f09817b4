import { type Command, everywhere, type Options } from "./command.ts";
import { commands } from "./commands.ts";
import { exitMeanings } from "./exit-codes.ts";

export function overview(): string {
  const rows = commands.map(({ name, takes = "", summary }): [string, string] => [`${name} ${takes}`.trimEnd(), summary]);
  const codes = Object.entries(exitMeanings).map(([code, meaning]): [string, string] => [code, meaning]);
  return [
    "parley: the command line of Parley, the self-hosted AI chat backend",
    "",
    "Usage: parley COMMAND [ARGUMENTS] [OPTIONS]",
    "",
    ...aligned(rows),
    "",
    "`parley help COMMAND` says more. Everywhere:",
    ...optionLines(everywhere),
    "",
    "From the environment:",
    ...aligned([
      ["PARLEY_URL", "the server"],
      ["PARLEY_TOKEN", "a key, in place of signing in"],
      ["PARLEY_CONFIG_DIR", "where credentials are kept"],
      ["PARLEY_DEBUG", "what is behind an error, in full"],
      ["NO_COLOR", "no colours"],
    ]),
    "",
    "Exit codes:",
    ...aligned(codes),
    "",
  ].join("\n");
}

export function describeCommand({ name, takes = "", summary, options }: Command): string {
  const own = optionLines(options);
  return [
    summary,
    "",
    `Usage: parley ${name} ${takes}`.trimEnd() + (own.length > 0 ? " [OPTIONS]" : ""),
    "",
    ...own,
    ...optionLines(everywhere),
    "",
  ].join("\n");
}

function optionLines(options: Options): string[] {
  return aligned(
    Object.entries(options).map(([name, { short, value, help }]) => [
      `${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`,
      help,
    ]),
  );
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
