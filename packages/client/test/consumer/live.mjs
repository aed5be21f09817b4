// Runs the packed client in plain Node against a real server, and says what came of it as one line of JSON.
import { createParley, isParleyError } from "@parley/client";
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import superjson from "superjson";
import { WebSocket } from "ws";
import { textOf } from "./text-of.mjs";

const [, , url, transport] = process.argv;
let token = null;
const options = { url, transport, token: () => token, ...(transport === "websocket" && { WebSocket }) };

const guest = createParley(options);
const models = await guest.api.model.list.query();
const refusedGuest = await refusalOf(textOf(guest.chat.follow(crypto.randomUUID())));
await guest.close();

const parley = createParley(options);
const { api } = parley;
const email = `${crypto.randomUUID()}@example.com`;
token = (await api.auth.register.mutate({ email, password: "Correct-horse-1" })).tokens.accessToken;
const { user } = await api.auth.me.query();

const told = tellAfter(api.chat.live.subscribe({}), "run-ended");
const sent = await send("Grüße, 🌍!");
const { runId, messageId } = sent.answer;
const followed = await textOf(parley.chat.follow(runId));
const { items } = await api.chat.messages.list.query({ conversationId: sent.conversationId });
const replayed = await textOf(parley.chat.follow(runId));
const refusedUnknown = await refusalOf(textOf(parley.chat.follow(crypto.randomUUID())));
const refusedInvalid = await refusalOf(api.chat.send.mutate({ clientMessageId: "", content: "" }));

const toldRunId = await Promise.race([told, new Promise((resolve) => setTimeout(resolve, 5_000, "nothing").unref())]);

const second = await send("Once more");
let eventsBeforeLeaving = 0;
for await (const _ of parley.chat.follow(second.answer.runId)) if (++eventsBeforeLeaving === 3) break;
const third = await send("And again");
const closing = textOf(parley.chat.follow(third.answer.runId));
await new Promise((resolve) => setTimeout(resolve, 200));
await parley.close();
const { status, deltas } = await closing;

console.log(
  JSON.stringify({
    models: models.items.map(({ id }) => id),
    socketModels: await modelsOverSocket(),
    signedIn: user.email === email && user.createdAt instanceof Date,
    followed,
    replayed,
    isTold: toldRunId === runId,
    stored: items.find(({ id }) => id === messageId)?.content,
    refusals: { guest: refusedGuest, unknown: refusedUnknown, invalid: refusedInvalid },
    eventsBeforeLeaving,
    endedByClose: status === null && deltas > 0,
  }),
);

function send(content) {
  return api.chat.send.mutate({ clientMessageId: crypto.randomUUID(), content });
}

async function tellAfter(events, last) {
  for await (const { data } of events) if (data.type === last) return data.runId;
  return "closed";
}

/** The same router answers queries on a socket, to tRPC's own client. */
async function modelsOverSocket() {
  const client = createWSClient({ url: `${url.replace("http", "ws")}/trpc`, WebSocket });
  const { model } = createTRPCClient({ links: [wsLink({ client, transformer: superjson })] });
  const list = await model.list.query();
  await client.close();
  return list.items.map(({ id }) => id);
}

async function refusalOf(call) {
  try {
    await call;
    return "none";
  } catch (error) {
    return isParleyError(error) ? error.reason : String(error);
  }
}
