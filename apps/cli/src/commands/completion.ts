import { type Command, command } from "../command.ts";
import { bash } from "../completion/bash.ts";
import { fish } from "../completion/fish.ts";
import { describeTree } from "../completion/tree.ts";
import { zsh } from "../completion/zsh.ts";
import { usage } from "../failure.ts";
import { print } from "../output/say.ts";

const shells: Record<string, (tree: ReturnType<typeof describeTree>) => string> = { bash, zsh, fish };

/** Made from the table that it is in. */
export const completionOf = (commands: () => readonly Command[]) =>
  command({
    name: "completion",
    summary: "Prints a script that completes these commands in bash, zsh or fish",
    takes: "SHELL",
    atLeast: 1,
    atMost: 1,
    async run(context, _options, [shell = ""]) {
      if (context.json) throw usage("`parley completion` prints no JSON");
      const write = Object.hasOwn(shells, shell) ? shells[shell] : undefined;
      if (!write) throw usage(`There is no completion for "${shell}": bash, zsh and fish have one`);
      print(write(describeTree(commands())));
    },
  });
