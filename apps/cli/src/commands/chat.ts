import { keepHistory, readHistory } from "../chat/history.ts";
import { openReader } from "../chat/reader.ts";
import { runSlash } from "../chat/slash.ts";
import { createTalk } from "../chat/talk.ts";
import { command } from "../command.ts";
import { usage } from "../failure.ts";
import { note } from "../output/say.ts";

export const chat = command({
  name: "chat",
  summary: "Talks: one message after the other, /help says what else there is",
  options: {
    model: { type: "string", short: "m", value: "MODEL", help: "Who answers" },
    conversation: { type: "string", value: "ID", help: "Goes on with this conversation" },
  },
  async run(context, { model, conversation }) {
    if (context.json) throw usage("`parley chat` prints no JSON: `parley ask --json` does");
    const { user } = await context.parley().api.auth.me.query();
    const reader = openReader(await readHistory());
    const talk = createTalk(context, reader, { model });
    try {
      note(`${user.displayName} at ${context.url}: /help says what there is, Ctrl-D leaves`);
      if (conversation !== undefined) await talk.open(conversation);
      for (;;) {
        const line = await reader.next("> ");
        if (line === null) break;
        if (line === "") continue;
        try {
          if (!line.startsWith("/")) await talk.say(line);
          else if ((await runSlash(line, talk, context)) === "quit") break;
        } catch (error) {
          talk.complain(error);
        }
      }
    } finally {
      if (process.stdin.isTTY) await keepHistory(reader.history());
      reader.close();
    }
  },
});
