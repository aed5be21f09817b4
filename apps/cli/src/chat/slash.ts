import type { Context } from "../context.ts";
import { usage } from "../failure.ts";
import { oneLine } from "../output/clean.ts";
import { print } from "../output/say.ts";
import type { Talk } from "./talk.ts";

interface Slash {
  takes: string;
  summary: string;
  run(talk: Talk, word: string, context: Context): Promise<"quit" | undefined>;
}

const slashes: Record<string, Slash> = {
  "/model": {
    takes: "[MODEL]",
    summary: "Says who can answer, or chooses who does",
    async run(talk, word, context) {
      if (word !== "") {
        const { id } = await context.parley().api.model.get.query({ id: word });
        talk.choose(id);
        print(`${oneLine(id)} answers from now on`);
        return;
      }
      const { items } = await context.parley().api.model.list.query();
      for (const { id, isDefault } of items) {
        const isChosen = talk.model === undefined ? isDefault : talk.model === id;
        print(`${isChosen ? "*" : " "} ${oneLine(id)}`);
      }
    },
  },
  "/new": {
    takes: "",
    summary: "Begins a new conversation",
    async run(talk) {
      talk.begin();
      print("A new conversation");
    },
  },
  "/open": {
    takes: "CONVERSATION",
    summary: "Goes on with another conversation",
    async run(talk, word) {
      await talk.open(word);
    },
  },
  "/retry": {
    takes: "",
    summary: "Has the last answer given again",
    async run(talk) {
      await talk.retry();
    },
  },
  "/stop": {
    takes: "",
    summary: "Stops the answer that is being written, as Ctrl-C does",
    async run() {
      print("Nothing is being written");
    },
  },
  "/quit": { takes: "", summary: "Leaves, as Ctrl-D does", run: async () => "quit" },
  "/help": {
    takes: "",
    summary: "Says this",
    async run() {
      for (const [name, { takes, summary }] of Object.entries(slashes)) print(`${`${name} ${takes}`.padEnd(22)}${summary}`);
      print('A line that ends with \\ goes on in the next one; """ begins and ends a text of many lines.');
    },
  },
};

export async function runSlash(line: string, talk: Talk, context: Context): Promise<"quit" | undefined> {
  const [name = "", ...words] = line.split(/\s+/);
  const slash = Object.hasOwn(slashes, name) ? slashes[name] : undefined;
  if (!slash) throw usage(`There is no ${name}: /help lists what there is`);
  return slash.run(talk, words.join(" "), context);
}
