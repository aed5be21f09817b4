import { command } from "../command.ts";
import { describeMessage } from "../output/message.ts";
import { print, printJson } from "../output/say.ts";
import { collect, countOf, limitOption } from "../pages.ts";

export const messages = command({
  name: "messages",
  summary: "Prints a conversation's last messages, oldest first",
  takes: "CONVERSATION",
  atLeast: 1,
  atMost: 1,
  options: {
    limit: limitOption,
    leaf: { type: "string", value: "MESSAGE", help: "The end of another branch than the one that you look at" },
  },
  async run(context, { limit, leaf }, [conversationId = ""]) {
    const { list } = context.parley().api.chat.messages;
    // Each page is oldest first, and the next one is what came before it.
    const page = await collect(countOf(limit), async (wanted) => {
      const { items, nextCursor } = await list.query({ ...wanted, conversationId, leafId: leaf });
      return { items: items.reverse(), nextCursor };
    });
    const items = page.items.reverse();
    if (context.json) printJson({ items, nextCursor: page.nextCursor });
    else print(items.map(describeMessage).join("\n"));
  },
});
