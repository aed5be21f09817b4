import { createParley } from "@parley/client";
import { textOf } from "./text-of.mjs";

/** What somebody new asks and sees of the answer, and what is stored of it. */
export async function asked(options) {
  const parley = createParley(options);
  await parley.auth.register({ email: `${crypto.randomUUID()}@example.com`, password: "Correct-horse-1" });
  const answer = parley.chat.ask("Are we there yet? ".repeat(8));
  const seen = await textOf(answer);
  const { conversationId } = await answer.sent;
  const { items } = await parley.api.chat.messages.list.query({ conversationId });
  await parley.close();
  return { ...seen, stored: items.at(-1)?.content };
}
