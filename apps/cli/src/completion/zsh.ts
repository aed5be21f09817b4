import { type Branch, type NamedOption, quoted } from "./tree.ts";

/** What `_arguments` and `_describe` read as marks of their own. */
const escaped = (text: string) => quoted(text.replace(/[[\]:\\]/g, "\\$&"));

export function zsh(tree: Branch[]): string {
  const cases = tree.flatMap(({ name, options, words }) => [
    ...words.map((word) => `    '${name} ${word.name}') _arguments ${specs(word.options)} ;;`),
    `    '${name} '*) ${words.length > 0 ? `(( CURRENT == 3 )) && _describe command '(${described(words)})'; ` : ""}_arguments ${specs(options)} ;;`,
  ]);
  return `#compdef parley
# parley's commands in zsh: parley completion zsh > "\${fpath[1]}/_parley"
_parley() {
  if (( CURRENT == 2 )); then
    local -a commands=(${tree.map(({ name, summary }) => `'${name}:${escaped(summary)}'`).join(" ")})
    _describe command commands
    return
  fi
  case "\${words[2]} \${words[3]}" in
${cases.join("\n")}
  esac
}
if [ "\${funcstack[1]}" = "_parley" ]; then _parley "$@"; else compdef _parley parley; fi
`;
}

function described(words: Branch["words"]): string {
  return words.map(({ name, summary }) => `${name}\\:"${summary.replace(/["'\\:`$]/g, "")}"`).join(" ");
}

function specs(options: NamedOption[]): string {
  return options
    .map(({ name, help, type, value, choices, multiple }) => {
      const takes = type === "boolean" ? "" : `:${value ?? "VALUE"}:${choices ? `(${choices.join(" ")})` : "_files"}`;
      return `'${multiple ? "*" : ""}--${name}[${escaped(help)}]${takes}'`;
    })
    .join(" ");
}
