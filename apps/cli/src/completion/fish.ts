import { type Branch, type NamedOption, quoted } from "./tree.ts";

export function fish(tree: Branch[]): string {
  const lines = [
    "# parley's commands in fish: parley completion fish > ~/.config/fish/completions/parley.fish",
    "complete -c parley -f",
  ];
  const within = (condition: string, options: NamedOption[]) => {
    for (const { name, short, type, choices, help } of options) {
      const takes = type === "boolean" ? "" : choices ? ` -x -a '${choices.join(" ")}'` : " -r";
      lines.push(`complete -c parley -n '${condition}' -l ${name}${short ? ` -s ${short}` : ""}${takes} -d '${quoted(help)}'`);
    }
  };
  for (const { name, summary, options, words } of tree) {
    lines.push(`complete -c parley -n __fish_use_subcommand -a ${name} -d '${quoted(summary)}'`);
    within(`__fish_seen_subcommand_from ${name}`, options);
    for (const word of words) {
      lines.push(`complete -c parley -n '__fish_seen_subcommand_from ${name}' -a ${word.name} -d '${quoted(word.summary)}'`);
      const known = new Set(options.map((option) => option.name));
      within(
        `__fish_seen_subcommand_from ${name}; and __fish_seen_subcommand_from ${word.name}`,
        word.options.filter((option) => !known.has(option.name)),
      );
    }
  }
  return `${lines.join("\n")}\n`;
}
