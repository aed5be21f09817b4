// Runs the packed client in plain Node against a real server, and says what came of it as one line of JSON.
import { createParley, isParleyError } from "@parley/client";
import { WebSocket } from "ws";

const [, , url, transport] = process.argv;
let token = null;
const options = { url, transport, token: () => token, ...(transport === "websocket" && { WebSocket }) };
const guest = createParley(options);
const models = await guest.api.model.list.query();
const unauthenticated = await refusalOf(guest.follow(crypto.randomUUID()).next());
await guest.close();

const parley = createParley(options);
const { api } = parley;
const password = "Correct-horse-1";
const email = `${transport}@example.com`;
token = (await api.auth.register.mutate({ email, password })).tokens.accessToken;
const { user } = await api.auth.me.query();

const live = api.chat.live.subscribe({});
const liveTypes = (async () => {
  const types = [];
  for await (const { data } of live) {
    types.push(data.type);
    if (data.type === "run-ended") break;
  }
  return types;
})();
const sent = await api.chat.send.mutate({ clientMessageId: crypto.randomUUID(), content: "Grüße, 🌍!" });
const { runId, messageId } = sent.answer;
const followed = await textOf(parley.follow(runId));
const { items } = await api.chat.messages.list.query({ conversationId: sent.conversationId });
const replayed = await textOf(parley.follow(runId));

const wrong = await refusalOf(parley.follow(crypto.randomUUID()).next());
const invalid = await refusalOf(api.chat.send.mutate({ clientMessageId: "", content: "" }));
const again = await api.chat.send.mutate({ ...sent, clientMessageId: crypto.randomUUID(), content: "Once more", answer: true });
const left = await leaveEarly(again.answer.runId);
const closed = textOf(parley.follow(again.answer.runId));
await new Promise((resolve) => setTimeout(resolve, 100));
await parley.close();

const result = {
  models: models.items.map(({ id }) => id),
  signedIn: user.email === email && user.createdAt instanceof Date,
  followed,
  replayed,
  stored: items.find(({ id }) => id === messageId)?.content,
  isTold: await Promise.race([liveTypes, new Promise((resolve) => setTimeout(resolve, 2_000, []))]),
  refusals: { unauthenticated, wrong, invalid },
  left,
  closedEarly: (await closed).status === undefined,
};
console.log(JSON.stringify(result));

async function textOf(events) {
  const seen = { text: "", status: undefined, deltas: 0 };
  for await (const event of events) {
    if (event.type === "text-delta") {
      seen.text = seen.text.slice(0, event.offset) + event.text;
      seen.deltas++;
    }
    if (event.type === "run-end") {
      seen.text = seen.text.slice(0, event.length);
      seen.status = event.status;
    }
  }
  return seen;
}

async function leaveEarly(runId) {
  let events = 0;
  for await (const _ of parley.follow(runId)) if (++events === 3) break;
  return events;
}

async function refusalOf(call) {
  try {
    await call;
    return "none";
  } catch (error) {
    return isParleyError(error) ? error.data.reason : String(error);
  }
}
