// Compiled outside the workspace, as for a browser: without Node's types, whose libraries would hide a gap. A type that has become `any` leaves an expected error unused.
import {
  type Conversation,
  createParley,
  type ErrorData,
  type ErrorReason,
  type FollowedEvent,
  isParleyError,
  type LiveEvent,
  type Message,
  type ParleyInputs,
  type ParleyOutputs,
  type Receipt,
  type RunEvent,
} from "@parley/client";

type Same<Left, Right> = (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false;
const check = <_Holds extends true>() => {};

const parley = createParley({ url: "https://chat.example.com", token: async () => null });
createParley({ url: "https://chat.example.com", token: "plk_1", WebSocket: globalThis.WebSocket, fetch: globalThis.fetch });
// @ts-expect-error a client needs an address
createParley({});
// @ts-expect-error there is no such transport
createParley({ url: "https://chat.example.com", transport: "carrier-pigeon" });
// @ts-expect-error this is not a WebSocket class
createParley({ url: "https://chat.example.com", WebSocket: class {} });

const { api } = parley;
const sent = await api.chat.send.mutate({ clientMessageId: "1", content: "Hello" });
sent.answer?.runId satisfies string | undefined;
sent.message satisfies Message;
check<Same<typeof sent.answer, { messageId: string; runId: string } | null>>();
check<Same<typeof sent.message.createdAt, Date>>();
check<Same<(typeof sent)["message"]["status"], Message["status"]>>();
// @ts-expect-error an answer may be missing
sent.answer.runId;
// @ts-expect-error a message needs content
await api.chat.send.mutate({ clientMessageId: "1" });
// @ts-expect-error an input is checked to its types
await api.chat.send.mutate({ clientMessageId: "1", content: 7 });
// @ts-expect-error an input has no more than the procedure takes
await api.chat.send.mutate({ clientMessageId: "1", content: "Hello", kontent: "Hello" });
// @ts-expect-error a mutation is no query
await api.chat.send.query({ clientMessageId: "1", content: "Hello" });
// @ts-expect-error there is no such procedure
await api.chat.shout.mutate({ content: "HELLO" });
// @ts-expect-error there is no such router
await api.billing.list.query();

const page = await api.chat.conversations.list.query({ limit: 10 });
page.items satisfies Conversation[];
check<Same<typeof page.nextCursor, string | null>>();
const { items } = await api.model.list.query();
items[0]?.contextLength satisfies number | null | undefined;
// @ts-expect-error a model has no price here
items[0]?.price;

for await (const event of parley.chat.follow("run")) {
  check<Same<typeof event, FollowedEvent>>();
  event satisfies RunEvent;
  describe(event) satisfies string;
  parley.chat.follow("run", { lastEventId: event.id });
}
for await (const { id, data } of api.chat.live.subscribe({})) {
  check<Same<typeof data, LiveEvent>>();
  check<Same<typeof id, string>>();
}
api.chat.follow.subscribe(
  { runId: "run" },
  {
    onData: ({ data }) => check<Same<typeof data, RunEvent>>(),
    onError: (error) => check<Same<typeof error.data, ErrorData | null | undefined>>(),
  },
);
// @ts-expect-error a run has an id
parley.chat.follow(7);

try {
  await api.auth.login.mutate({ identifier: "me", password: "secret" });
} catch (error) {
  if (isParleyError(error)) {
    check<Same<typeof error.data, ErrorData>>();
    error.reason satisfies ErrorReason;
    // @ts-expect-error there is no such reason
    if (error.reason === "bad_luck") throw error;
  }
}

check<Same<ParleyInputs["chat"]["send"]["content"], string>>();
check<Same<ParleyOutputs["auth"]["login"]["tokens"]["tokenType"], "Bearer">>();
check<Same<Extract<ParleyOutputs["auth"]["register"], { next: string }>["next"], "verify_email">>();

function describe(event: RunEvent): string {
  switch (event.type) {
    case "run-start":
      return event.model;
    case "text-delta":
    case "reasoning-delta":
      return event.text;
    case "tool-call":
      return event.name;
    case "tool-result":
      return event.isError ? "failed" : "done";
    case "failover":
      return event.to.provider;
    case "run-end":
      check<Same<typeof event.receipt, Receipt>>();
      return event.status;
    default:
      return event satisfies never;
  }
}
