import { command } from "../command.ts";
import { printList } from "../output/list.ts";

export const models = command({
  name: "models",
  summary: "Lists the models that can be asked; the usual one is marked",
  async run(context) {
    const { items } = await context.parley().api.model.list.query();
    const price = (micros: number | undefined) => (micros === undefined ? "" : String(micros / 1_000_000));
    printList(context, { items }, [
      { title: "", value: ({ isDefault }) => (isDefault ? "*" : "") },
      { title: "Model", value: ({ id }) => id, isWhole: true },
      { title: "Provider", value: ({ provider }) => provider },
      { title: "Context", value: ({ contextLength }) => contextLength, isNumber: true },
      { title: "Input / M", value: ({ prices }) => price(prices?.input), isNumber: true },
      { title: "Output / M", value: ({ prices }) => price(prices?.output), isNumber: true },
      { title: "Name", value: ({ name }) => name },
    ]);
  },
});
