// Every row's targets. A target is
//   start(context) -> { cmd, env, cwd, hook, startMs }   how to start it: the command must listen on 127.0.0.1:PORT
//   prepare(context) -> state                            optional: sign up, fetch a token ... after each start
// and what the row's load generator must say to it (see each section). `extra: true` runs only when named with --targets;
// `promise` is the limit that docs and tests hold us to. A target's context lives as long as the run, so that a second
// start finds the first one's data; `url`, `port`, `controlPort`, `upstream`, `upstreamPort` and `state` are in it.

import { existsSync } from "node:fs";
import { fillLists, longBranch, longConversation, longLength, words } from "./lib/fill-lists.mjs";
import { fillMetrics, metricsPath } from "./lib/fill-metrics.mjs";
import { openServer } from "./lib/postgres.mjs";
import { temporaryFolder } from "./lib/proc.mjs";
import { emailOf, mutate, password, signUp, startParley } from "./lib/product.mjs";
import { httpGet, httpPost, wsFrame, wsUpgrade } from "./lib/raw-client.mjs";

/** A peer: one of servers/*.mjs. */
const peer =
  (script, env = {}) =>
  async ({ upstream }) => ({
    cmd: [process.execPath, ...script.split(" ")],
    env: { ...(upstream && { UPSTREAM: upstream }), ...env },
  });

/** A peer with a Postgres database of its own, new at each run. */
const peerOnPostgres =
  (script, env = {}) =>
  async (context) => {
    context.databaseUrl ??= await (await openServer()).createDatabase();
    return { cmd: [process.execPath, script], env: { DATABASE_URL: context.databaseUrl, ...env } };
  };

// ---- turns and stream ----
// client: { steps(context) -> a dialogue that asks for the first answer, next(context) -> bytes or a dialogue that asks for
// the next one, end: a text that closes an answer }; context.i numbers the connection, context.turn its answers.

const CHUNK_END = "\r\n0\r\n\r\n";
const stopped = '"type":"stopped"';
const post = (path, body, headers) => {
  const ask = (context) => httpPost(path, body, headers?.(context));
  return { steps: (context) => [{ send: ask(context) }], next: ask, end: CHUNK_END };
};
const trpcSubscription = (path, input) => {
  const ask = (id) => wsFrame({ id, method: "subscription", params: { path, input } });
  return {
    steps: () => [{ send: wsUpgrade("/") }, { expect: "\r\n\r\n", send: ask(1) }],
    next: ({ turn }) => ask(turn + 1),
    end: stopped,
  };
};
const messages = { model: "claude-sonnet-4-5", max_tokens: 1024, stream: true, messages: [{ role: "user", content: "Hello" }] };
const anthropicHead = () => ({ "x-api-key": "k", "anthropic-version": "2023-06-01" });
const portkeyHead = ({ upstream }) => ({
  ...anthropicHead(),
  "x-portkey-provider": "anthropic",
  "x-portkey-custom-host": `${upstream}/v1`,
  authorization: "Bearer k",
});
const startPortkey = async ({ port }) => ({
  cmd: [process.execPath, "node_modules/@portkey-ai/gateway/build/start-server.js", `--port=${port}`, "--headless"],
  env: { TRUSTED_CUSTOM_HOSTS: "127.0.0.1" },
});
const sse = httpGet(`/trpc/stream?input=${encodeURIComponent('{"prompt":"Hello"}')}`, { accept: "text/event-stream" });
const uiMessages = { messages: [{ id: "1", role: "user", parts: [{ type: "text", text: "Hello" }] }] };

/** A mutation and a subscription on one socket: chat.send, then chat.follow of the run that it names. */
const parleyTurn = ({ turnsPerConversation }) => {
  const conversations = [];
  const ask = ({ i, turn }) => {
    const isNew = turn % turnsPerConversation === 0;
    const input = {
      content: "Hello",
      clientMessageId: `${process.pid}-${i}-${turn}`,
      ...(!isNew && { conversationId: conversations[i] }),
    };
    return wsFrame({ id: turn * 2 + 1, method: "mutation", params: { path: "chat.send", input: { json: input } } });
  };
  const follow = ({ i, turn }) => ({
    expect: /"conversationId":"([0-9a-f-]{36})".*"runId":"([0-9a-f-]{36})"/,
    send: ([, conversationId, runId]) => {
      conversations[i] = conversationId;
      return wsFrame({ id: turn * 2 + 2, method: "subscription", params: { path: "chat.follow", input: { json: { runId } } } });
    },
  });
  return {
    steps: (context) => [
      ...signIn(context.state[context.i % context.state.length]),
      { expect: "\r\n\r\n", send: ask({ ...context, turn: 0 }) },
      follow({ ...context, turn: 0 }),
    ],
    next: (context) => [{ send: ask(context) }, follow(context)],
    end: stopped,
  };
};

/** The upgrade carries the token, as it does for a client that is not a browser. */
const signIn = (token) => [{ send: wsUpgrade("/trpc", { authorization: `Bearer ${token}` }) }];

const parleyTurns = (database, { redis, ...options } = {}) => {
  const client = parleyTurn({ turnsPerConversation: 1, ...options });
  const start = startParley({ entry: "product", database, redis });
  const prepare = async (context) => {
    context.tokens ??= await signUp(context.url, Math.min(context.clients, 100));
    return context.tokens;
  };
  return { start, prepare, client, promise: { cpu: { most: 1.8 }, first: { most: 5 } }, database };
};

const turns = {
  direct: { extra: true, port: ({ upstreamPort }) => upstreamPort, client: post("/v1/messages", messages, anthropicHead) },
  pipe: { start: peer("servers/stream-pipe.mjs"), client: post("/v1/messages", messages, anthropicHead) },
  "ws-raw": {
    extra: true,
    start: peer("servers/stream-ws.mjs"),
    client: {
      steps: () => [{ send: wsUpgrade("/") }, { expect: "\r\n\r\n", send: wsFrame({ id: 1 }) }],
      next: ({ turn }) => wsFrame({ id: turn + 1 }),
      end: '"end":1',
    },
  },
  socketio: {
    extra: true,
    start: peer("servers/stream-socketio.mjs"),
    client: {
      steps: () => [
        { send: wsUpgrade("/socket.io/?EIO=4&transport=websocket") },
        { expect: '0{"sid"', send: wsFrame("40") },
        { expect: '40{"sid"', send: wsFrame('42["chat",{"id":1}]') },
      ],
      next: ({ turn }) => wsFrame(`42["chat",{"id":${turn + 1}}]`),
      end: '["end"',
    },
  },
  "trpc-ws": { start: peer("servers/stream-trpc.mjs", { SRC: "min" }), client: trpcSubscription("stream", { prompt: "Hello" }) },
  "trpc-ws-sdk": {
    start: peer("servers/stream-trpc.mjs", { SRC: "sdk" }),
    client: trpcSubscription("stream", { prompt: "Hello" }),
  },
  "trpc-ws-aisdk": {
    extra: true,
    start: peer("servers/stream-trpc.mjs", { SRC: "ai" }),
    client: trpcSubscription("stream", { prompt: "Hello" }),
  },
  "trpc-sse": {
    extra: true,
    start: peer("servers/stream-trpc.mjs", { SRC: "min" }),
    client: { steps: () => [{ send: sse }], next: () => sse, end: CHUNK_END },
  },
  "aisdk-sse": { start: peer("servers/stream-hono-sse.mjs", { MODE: "aisdk" }), client: post("/chat", uiMessages) },
  "portkey-chat": { start: startPortkey, client: post("/v1/chat/completions", messages, portkeyHead) },
  parley: parleyTurns("postgres"),
  "parley-pglite": parleyTurns("pglite"),
  "parley-redis": { ...parleyTurns("postgres", { redis: process.env.BENCH_REDIS_URL ?? "redis://127.0.0.1:6379" }), extra: true },
  /** Ten turns a conversation: the model is given the history. */
  "parley-history": { ...parleyTurns("postgres", { turnsPerConversation: 10 }), extra: true },
};

// ---- token: start(nodeArgs)(context); servers/token.ts is driven over IPC ----

const tokenPath = (name) => (nodeArgs) => async (context) => {
  const spec = await startParley({ entry: "token", database: "postgres", nodeArgs })(context);
  return { ...spec, env: { ...spec.env, TOKEN_PATH: name } };
};
const token = { read: { start: tokenPath("read") }, parley: { start: tokenPath("parley") } };

// ---- fanout: steps(context) subscribes, and is over when the subscription stands; publish(text) -> the raw bytes of an
// HTTP request to `publishPort` (or the target's own) that sends text to everybody ----

const publish = (text) => httpPost("/pub", text);
const upgraded = [{ send: wsUpgrade("/") }, { expect: "\r\n\r\n" }];
const trpcFeed = [
  { send: wsUpgrade("/") },
  { expect: "\r\n\r\n", send: wsFrame({ id: 1, method: "subscription", params: { path: "feed" } }) },
  { expect: '"started"' },
];
const socketioSteps = [
  { send: wsUpgrade("/socket.io/?EIO=4&transport=websocket") },
  { expect: '0{"sid"', send: wsFrame("40") },
  { expect: '40{"sid"' },
];
const subscribeParley = (token, path, input, expect) => [
  ...signIn(token),
  { expect: "\r\n\r\n", send: wsFrame({ id: 1, method: "subscription", params: { path, input: { json: input } } }) },
  { expect },
];
const parleyFanout = (database) => ({
  start: startParley({ entry: "bench", database }),
  async prepare(context) {
    const { url } = context;
    context.tokens ??= await signUp(url, 1);
    const [token] = context.tokens;
    const clientMessageId = `${process.pid}-${(context.sends = (context.sends ?? 0) + 1)}`;
    const { answer } = await mutate(url, "chat.send", { content: "Hello", clientMessageId, model: "on-demand" }, token);
    return { token, runId: answer.runId };
  },
  steps: ({ state: { token, runId } }) => subscribeParley(token, "chat.follow", { runId }, '"run-start"'),
  publish,
  publishPort: ({ controlPort }) => controlPort,
  promise: { cpu: { most: 1.3 } },
});

const fanout = {
  ws: { start: peer("servers/fanout.mjs ws"), steps: () => upgraded, publish },
  "ws-preframed": { extra: true, start: peer("servers/fanout.mjs ws-preframed"), steps: () => upgraded, publish },
  socketio: { start: peer("servers/fanout.mjs socketio"), steps: () => socketioSteps, publish },
  "trpc-ws": { start: peer("servers/fanout.mjs trpc-ws"), steps: () => trpcFeed, publish },
  parley: parleyFanout("postgres"),
  "parley-pglite": { ...parleyFanout("pglite"), extra: true },
};

// ---- idle: steps(context) as above ----

const parleyIdle = (database) => ({
  start: startParley({ entry: "product", database }),
  /** A thousand people with four sockets each. */
  async prepare(context) {
    context.tokens ??= await signUp(context.url, 1000);
    return context.tokens;
  },
  steps: ({ state, i }) => subscribeParley(state[i % state.length], "chat.live", {}, '"started"'),
  promise: { most: 15, unit: " KB" },
});

const idle = {
  ws: fanout.ws,
  socketio: fanout.socketio,
  "trpc-ws": fanout["trpc-ws"],
  "trpc-ws-unsubscribed": { extra: true, start: peer("servers/fanout.mjs trpc-ws"), steps: () => upgraded },
  parley: parleyIdle("postgres"),
  "parley-pglite": { ...parleyIdle("pglite"), extra: true },
  "parley-unsubscribed": {
    ...parleyIdle("postgres"),
    extra: true,
    steps: ({ state, i }) => [...signIn(state[i % state.length]), { expect: "\r\n\r\n" }],
  },
};

// ---- rpc: request(context) -> { path, method, headers, body }, expect: a text that a right answer holds ----

const input = `?input=${encodeURIComponent('{"name":"world"}')}`;
const hello = (kind, path, extra = {}) => ({
  start: peer(`servers/rpc.mjs ${kind}`),
  request: ({ jwt }) => ({ path, ...(extra.jwt && { headers: { authorization: `Bearer ${jwt}` } }) }),
  expect: "hello world",
  ...extra,
});
const rpc = {
  "raw-http": hello("raw", "/hello?name=world"),
  hono: hello("hono", "/hello?name=world", { extra: true }),
  "hono-trpc": hello("hono-trpc", `/trpc/hello${input}`),
  "hono-trpc-jwt": hello("hono-trpc-jwt", `/trpc/hello${input}`, { jwt: true }),
  "hono-trpc-caller": hello("hono-trpc-caller", `/trpc/hello${input}`, { extra: true }),
  parley: {
    start: startParley({ entry: "product", database: "postgres" }),
    async prepare(context) {
      context.tokens ??= await signUp(context.url, 1);
      return context.tokens[0];
    },
    request: ({ state }) => ({ path: "/trpc/auth.me", headers: { authorization: `Bearer ${state}` } }),
    expect: emailOf(0),
    promise: { most: 6, unit: "×" },
  },
};
rpc["parley-pglite"] = { ...rpc.parley, start: startParley({ entry: "product", database: "pglite" }), extra: true };

// ---- auth: signIn(context) -> a request; prepare signs somebody up ----

const json = { "content-type": "application/json" };
const credentials = { email: emailOf(0), password, name: "User 0" };
const signUpAt =
  (path) =>
  async ({ url }) => {
    const headers = { ...json, origin: url };
    const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(credentials) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  };
const signInAt =
  (path) =>
  ({ url }) => {
    const { email } = credentials;
    return { method: "POST", path, headers: { ...json, origin: url }, body: JSON.stringify({ email, password }) };
  };
const betterAuth = (env) => ({
  start: peerOnPostgres("servers/auth-better.mjs", env),
  prepare: signUpAt("/api/auth/sign-up/email"),
  signIn: signInAt("/api/auth/sign-in/email"),
});
const auth = {
  "min-argon2": { start: peerOnPostgres("servers/auth-min.mjs"), prepare: signUpAt("/sign-up"), signIn: signInAt("/sign-in") },
  "better-auth": betterAuth({}),
  "better-auth-argon2": betterAuth({ HASH: "argon2" }),
  parley: {
    start: startParley({ entry: "product", database: "postgres" }),
    prepare: ({ url }) => signUp(url, 1),
    signIn: () => ({
      method: "POST",
      path: "/trpc/auth.login",
      headers: json,
      body: JSON.stringify({ json: { identifier: emailOf(0), password } }),
    }),
    promise: { least: 0.93, unit: "×" },
  },
};
auth["parley-pglite"] = { ...auth.parley, start: startParley({ entry: "product", database: "pglite" }), extra: true };

// ---- start: ready(context) -> the path that answers once it serves; fill(context) puts data there before the second start ----

const fillParley = async ({ url }) => {
  const [token] = await signUp(url, 1);
  await mutate(url, "chat.send", { content: "Hello", clientMessageId: "first" }, token);
};
const parleyStart = (database, promise) => ({
  start: startParley({ entry: "product", database }),
  ready: "/ready",
  fill: fillParley,
  promise: { ...promise, peak: 420 },
});
const start = {
  pglite: {
    async start(context) {
      context.folder ??= temporaryFolder("pglite");
      return { cmd: [process.execPath, "servers/open-pglite.mjs"], env: { DATA_DIR: `${context.folder}/database` } };
    },
    ready: "/",
  },
  "parley-pglite": parleyStart("pglite", { seconds: 1.0, idle: 330 }),
  postgres: { start: peerOnPostgres("servers/open-postgres.mjs"), ready: "/" },
  parley: parleyStart("postgres", { seconds: 0.6, idle: 130 }),
};

// ---- lists: prepare writes the rows; plan(state, ask) -> { works: what is called, and what a right answer holds } ----

const query = (procedure, input, token) => ({ path: `/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify({ json: input }))}`, token });
const hasItems = (count) => (page) => page.items.length === count;
const lists = {
  parley: {
    start: startParley({ entry: "product", database: "postgres" }),
    async prepare(context) {
      [context.token] = await signUp(context.url, 1);
      await fillLists(context.databaseUrl);
      return context.token;
    },
    async plan(token, ask) {
      let cursor;
      for (let page = 1; page < 50; page++) {
        const { body } = await ask(query("chat.conversations.list", { cursor }, token));
        cursor = JSON.parse(body).result.data.json.nextCursor;
      }
      const list = (input, count) => ({ request: query("chat.conversations.list", input, token), expect: hasItems(count) });
      const page = (input) => ({
        request: query("chat.messages.list", { conversationId: longConversation, ...input }, token),
        expect: hasItems(50),
      });
      const search = (text, count) => ({ request: query("chat.messages.search", { text }, token), expect: hasItems(count) });
      return {
        works: [
          { what: "nothing read (auth.me)", request: { path: "/trpc/auth.me", token }, expect: Boolean },
          { what: "conversations, page 1", ...list({}, 20) },
          { what: "conversations, page 50", ...list({ cursor }, 20) },
          { what: "messages, page 1", ...page({}) },
          { what: "messages, page 1,000", ...page({ cursor: longBranch(longLength - 999 * 50) }) },
          { what: `search, in ${words.rare.messages} messages`, ...search(words.rare.word, words.rare.messages) },
          { what: "search, in every fourth message", ...search(words.frequent.word, 20) },
        ],
      };
    },
    promises: {
      "conversations, page 50": { against: "conversations, page 1" },
      "messages, page 1,000": { against: "messages, page 1", most: 1.2 },
    },
  },
};

// ---- metrics: a small call with everything on, and with nothing that counts or tells of it; `fill(context)` makes a week ----

const measuredCalls = (options) => ({
  start: startParley({ database: "postgres", ...options }),
  async prepare(context) {
    context.tokens ??= await signUp(context.url, 1);
    return context.tokens[0];
  },
  request: ({ state }) => ({ path: "/trpc/model.list", headers: { authorization: `Bearer ${state}` } }),
  expect: '"items"',
});

const metrics = {
  "parley-plain": measuredCalls({ entry: "plain" }),
  parley: {
    ...measuredCalls({ entry: "product", logLevel: "info" }),
    fill: fillMetrics,
    promise: { most: 15, unit: " µs" },
    reads: [
      { what: "metrics.series, 7 days", path: metricsPath("series", "7d"), promise: { most: 50, unit: " ms" } },
      { what: "metrics.series, 24 hours", path: metricsPath("series", "24h") },
      { what: "metrics.series, an hour", path: metricsPath("series", "1h") },
      { what: "metrics.endpoints, 24 hours", path: metricsPath("endpoints", "24h") },
    ],
  },
};

export const targets = { turns, stream: turns, token, fanout, idle, rpc, auth, start, lists, metrics };

// targets.local.mjs, which git ignores, is for tries: its default export is a function of these that adds to them.
const local = new URL("./targets.local.mjs", import.meta.url);
if (existsSync(local)) (await import(local.href)).default(targets);
