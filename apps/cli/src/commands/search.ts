import { command } from "../command.ts";
import { moment } from "../output/figures.ts";
import { printList } from "../output/list.ts";
import { collect, countOf, limitOption } from "../pages.ts";

export const search = command({
  name: "search",
  summary: "Finds messages by their words",
  takes: "WORDS",
  atLeast: 1,
  options: {
    limit: limitOption,
    conversation: { type: "string", value: "ID", help: "In this conversation only" },
  },
  async run(context, { limit, conversation: conversationId }, words) {
    const { search: find } = context.parley().api.chat.messages;
    const page = await collect(countOf(limit), (wanted) => find.query({ ...wanted, text: words.join(" "), conversationId }), 50);
    printList(context, page, [
      { title: "Conversation", value: (found) => found.conversationId, isWhole: true },
      { title: "Time", value: ({ createdAt }) => moment(createdAt) },
      { title: "Title", value: ({ conversationTitle }) => conversationTitle },
      { title: "Text", value: ({ excerpt }) => excerpt.text },
    ]);
  },
});
