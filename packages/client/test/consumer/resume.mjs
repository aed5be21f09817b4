// Follows an answer over a line that breaks again and again.
import { createParley } from "@parley/client";
import { WebSocket } from "ws";
import { textOf } from "./text-of.mjs";

const [, , url, transport] = process.argv;
let token = null;
const parley = createParley({ url, transport, WebSocket, token: () => token });
const account = { email: `${crypto.randomUUID()}@example.com`, password: "Correct-horse-1" };
token = (await parley.api.auth.register.mutate(account)).tokens.accessToken;
const content = "Are we there yet? ".repeat(8);
const { conversationId, answer } = await parley.api.chat.send.mutate({ clientMessageId: "1", content });
const seen = await textOf(parley.follow(answer.runId));
const { items } = await parley.api.chat.messages.list.query({ conversationId });
await parley.close();
console.log(JSON.stringify({ ...seen, stored: items.find(({ id }) => id === answer.messageId)?.content }));
