import { type Command, everywhere, type Option } from "../command.ts";

export interface NamedOption extends Option {
  name: string;
}

/** What can be completed, as every shell needs it. */
export interface Branch {
  name: string;
  summary: string;
  options: NamedOption[];
  /** Second words, such as `create` of `keys`. */
  words: Omit<Branch, "words">[];
}

export function describeTree(commands: readonly Command[]): Branch[] {
  const described = commands.map(({ name, summary, options }) => ({
    name,
    summary,
    options: Object.entries({ ...options, ...everywhere }).map(([option, given]): NamedOption => ({ ...given, name: option })),
  }));
  return described
    .filter(({ name }) => !name.includes(" "))
    .map((branch) => ({
      ...branch,
      words: described
        .filter(({ name }) => name.startsWith(`${branch.name} `))
        .map((each) => ({ ...each, name: each.name.slice(branch.name.length + 1) })),
    }));
}

/** As text within single quotes of a shell. */
export const quoted = (text: string) => text.replaceAll("'", "'\\''");
