import type { Branch, NamedOption } from "./tree.ts";

export function bash(tree: Branch[]): string {
  const namesOf = ({ name, short }: NamedOption) => [`--${name}`, ...(short ? [`-${short}`] : [])];
  const flags = (options: NamedOption[]) => options.flatMap(namesOf).join(" ");
  const cases = tree.flatMap(({ name, options, words }) => [
    ...words.map((word) => `    '${name} ${word.name}') words='${flags(word.options)}' ;;`),
    `    '${name} '*) words='${[...words.map((word) => word.name), flags(options)].join(" ")}' ;;`,
  ]);
  const choices = new Map<string, string>();
  const takesValue = new Set<string>();
  for (const { options, words } of tree) {
    for (const option of [...options, ...words.flatMap((word) => word.options)]) {
      if (option.choices) choices.set(namesOf(option).join("|"), option.choices.join(" "));
      else if (option.type === "string") takesValue.add(namesOf(option).join("|"));
    }
  }
  return `# parley's commands in bash: source <(parley completion bash)
_parley() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words=''
  COMPREPLY=()
  case "$previous" in
${Array.from(choices, ([name, values]) => `    ${name}) COMPREPLY=($(compgen -W '${values}' -- "$current")); return ;;`).join("\n")}
    ${[...takesValue].join("|")}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${tree.map(({ name }) => name).join(" ")} help' -- "$current"))
    return
  fi
  local second=''
  if [ "$COMP_CWORD" -gt 2 ]; then second=\${COMP_WORDS[2]}; fi
  case "\${COMP_WORDS[1]} $second" in
${cases.join("\n")}
    'help '*) words='${tree.map(({ name }) => name).join(" ")}' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _parley parley
`;
}
