import { command } from "../command.ts";
import { moment } from "../output/figures.ts";
import { printList } from "../output/list.ts";
import { collect, countOf, limitOption } from "../pages.ts";

export const conversations = command({
  name: "conversations",
  aliases: ["conversations list"],
  summary: "Lists your conversations, the newest activity first",
  options: {
    limit: limitOption,
    search: { type: "string", value: "WORDS", help: "Those whose title or description has these words" },
    tag: { type: "string", value: "TAG", help: "Those with this tag" },
    archived: { type: "boolean", help: "Those that are archived" },
  },
  async run(context, { limit, search, tag, archived }) {
    const { list } = context.parley().api.chat.conversations;
    const page = await collect(countOf(limit), (wanted) => list.query({ ...wanted, search, tag, archived }));
    printList(context, page, [
      { title: "Id", value: ({ id }) => id, isWhole: true },
      { title: "Active", value: ({ lastMessage, updatedAt }) => moment(lastMessage?.createdAt ?? updatedAt) },
      { title: "Messages", value: ({ messageCount }) => messageCount, isNumber: true },
      { title: "Title", value: ({ title }) => title },
    ]);
  },
});
