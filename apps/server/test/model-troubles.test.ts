import { inspect } from "node:util";
import type { RunEvent, Trouble } from "@parley/contract/events";
import { type Script, type Step, startUpstream, type Upstream, type UpstreamCall } from "@parley/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Client, type Person, type TestApp, testApp } from "./kit.ts";
import { clientPlaces } from "./workerd.ts";

type Sent = Parameters<Person["api"]["chat"]["send"]["mutate"]>[0];
type Ended = Extract<RunEvent, { type: "run-end" }>;

const [one, two] = ["canary-claude-one", "canary-claude-two"];
const claude = "claude-sonnet-5-5";
const haiku = "claude-haiku-5-5";
const gemini = "gemini-2.5-flash";
const local = "local-model";
const vendors = [
  { vendor: "Claude", provider: "anthropic", model: claude, keys: [one, two] },
  { vendor: "Gemini", provider: "gemini", model: gemini, keys: ["canary-gemini-one", "canary-gemini-two"] },
  { vendor: "an OpenAI-compatible server", provider: "openai", model: local, keys: ["canary-local-one", "canary-local-two"] },
] satisfies { vendor: string; provider: string; model: string; keys: [string, string] }[];
/** Each case at each vendor. */
const of = <Case extends object>(cases: Case[]) => vendors.flatMap((vendor) => cases.map((one) => ({ ...vendor, ...one })));
const said = (text: string, more: Partial<Script> = {}): Script => ({
  steps: [{ text }],
  usage: { input: 10, output: 5 },
  ...more,
});

/** The whole server with its real adapters, against a vendor that misbehaves by script. */
describe.each(clientPlaces)("when a vendor is in trouble, on %s", (place) => {
  /** Each run has an object of its own there, which finds out for itself which models to leave alone; and nobody sets the clock. */
  const remembers = place !== "workerd";
  let upstream: Upstream;
  let app: TestApp;
  let admin: Client;
  let person: Person;

  beforeAll(async () => {
    upstream = await startUpstream();
    upstream.models("anthropic", [claude, haiku]);
    upstream.models("gemini", [gemini]);
    upstream.models("openai", [local]);
    await open();
  });
  async function open() {
    app = await testApp({
      database: place,
      env: {
        ANTHROPIC_API_KEY: one,
        ANTHROPIC_API_KEY_BACKUP: two,
        ANTHROPIC_BASE_URL: upstream.url,
        GOOGLE_AI_API_KEY: "canary-gemini-one",
        GOOGLE_AI_API_KEY_BACKUP: "canary-gemini-two",
        GOOGLE_AI_BASE_URL: upstream.url,
        OPENAI_COMPATIBLE_BASE_URL: `${upstream.url}/v1`,
        OPENAI_COMPATIBLE_API_KEY: "canary-local-one",
        OPENAI_COMPATIBLE_API_KEY_BACKUP: "canary-local-two",
        MODEL_TIMEOUT_FIRST: "1s",
        MODEL_TIMEOUT_GAP: "1s",
      },
    });
    await app.person();
  }
  afterAll(async () => {
    await app.stop();
    await upstream.stop();
  });
  beforeEach(async () => {
    upstream.reset();
    // Whatever a test before this one has taught the server about keys and models is over.
    app.clock.advance({ seconds: 24 * 3_600 });
    await signIn();
    if (!(await doesKeyRest())) return;
    // The worker's time is its own: a new one knows nothing of keys.
    await app.stop();
    await open();
    await signIn();
  });

  async function signIn() {
    const { tokens } = await app.client(null).auth.login.mutate({ identifier: app.first.email, password: "Correct-horse-1" });
    admin = app.client(tokens.accessToken ?? null);
    person = await app.person();
  }
  async function doesKeyRest() {
    const { items } = await admin.model.providers.query();
    return items.some(({ details }) => details?.keys.some(({ state }) => state !== "ready"));
  }

  let sent = 0;
  async function start(input: Partial<Sent> = {}, by = person) {
    const accepted = await by.api.chat.send.mutate({ clientMessageId: `m-${++sent}`, content: "Hello", model: claude, ...input });
    return { ...accepted, runId: accepted.answer?.runId ?? "" };
  }
  async function follow(runId: string, until: (event: RunEvent) => boolean = () => false): Promise<RunEvent[]> {
    const events: RunEvent[] = [];
    const socket = app.client(person.token, "websocket");
    await new Promise<void>((resolve, reject) => {
      const subscription = socket.chat.follow.subscribe(
        { runId },
        {
          onData({ data }) {
            events.push(data);
            if (data.type !== "run-end" && !until(data)) return;
            subscription.unsubscribe();
            resolve();
          },
          onError: reject,
        },
      );
    });
    return events;
  }
  const textOf = (events: RunEvent[]) =>
    events.reduce((text, event) => {
      if (event.type === "text-delta") return text + event.text;
      return event.type === "failover" ? text.slice(0, event.keepThrough) : text;
    }, "");
  async function ask(input: Partial<Sent> = {}) {
    const before = upstream.calls.length;
    const accepted = await start(input);
    const events = await follow(accepted.runId);
    const end = events.at(-1) as Ended;
    const { items } = await person.api.chat.messages.list.query({ conversationId: accepted.conversationId });
    const stored = items.at(-1);
    expect(textOf(events)).toBe(stored?.content);
    expect(end.length).toBe(stored?.content.length);
    const calls = upstream.calls.slice(before).filter(({ kind }) => kind === "generate");
    expect(end.receipt.attempts).toHaveLength(calls.length);
    return { ...accepted, events, end, stored, calls, text: textOf(events), attempts: end.receipt.attempts };
  }
  const keysOf = (calls: UpstreamCall[]) => calls.map(({ key }) => key);
  async function keyStates(provider: string) {
    const { items } = await admin.model.providers.query();
    return items.find(({ name }) => name === provider)?.details?.keys.map(({ state }) => state);
  }

  test.each(vendors)("$vendor answers, and the receipt has what it counted", async ({ model, provider }) => {
    upstream.script(said("שלום, мир 🙂", { usage: { input: 100, cacheRead: 20, output: 7 } }));
    const { end, stored, text, attempts } = await ask({ model });
    expect(end).toMatchObject({ status: "completed", finishReason: "stop" });
    expect(text).toBe("שלום, мир 🙂");
    expect(stored).toMatchObject({ provider, model, status: "complete" });
    const tokens = { input: 100, cacheRead: 20, cacheWrite: 0, output: 7 };
    expect(attempts).toMatchObject([{ provider, model, outcome: "completed", estimated: false, tokens }]);
    expect(end.receipt.total.tokens).toEqual(tokens);
  });

  test.each(
    of([
      { name: "a limit of its rate", refusal: { status: 429, type: "rate", retryAfterSeconds: 60 } },
      { name: "an exhausted quota", refusal: { status: 429, type: "quota" } },
      { name: "a key that is no good", refusal: { status: 401, type: "auth" } },
    ]),
  )(
    "$vendor: $name brings in the next key, and the first one rests",
    async ({ refusal, model, provider, keys: [first, second] }) => {
      upstream.byKey(first, { refusal });
      upstream.byKey(second, said("From the second"));
      expect(await keyStates(provider)).toEqual(["ready", "ready"]);
      const { end, text, calls, attempts, events } = await ask({ model });
      expect(end.status).toBe("completed");
      expect(text).toBe("From the second");
      expect(keysOf(calls)).toEqual([first, second]);
      expect(attempts.map(({ outcome }) => outcome)).toEqual(["failed", "completed"]);
      expect(attempts[0]).toMatchObject({ tokens: { input: 0, output: 0 }, costMicros: 0, firstTokenMs: null });
      expect(events.map(({ type }) => type)).not.toContain("failover");
      expect(await keyStates(provider)).toEqual(["cooling", "ready"]);
      expect(keysOf((await ask({ model })).calls)).toEqual([second]);
    },
  );

  test.runIf(remembers)("a key comes back when its vendor said it would", async () => {
    upstream.byKey(one, { refusal: { status: 429, type: "rate", retryAfterSeconds: 40 } });
    upstream.byKey(two, said("From the second"));
    await ask();
    upstream.byKey(one, said("From the first"));
    app.clock.advance({ seconds: 39 });
    expect((await ask()).text).toBe("From the second");
    app.clock.advance({ seconds: 2 });
    expect(await keyStates("anthropic")).toEqual(["ready", "ready"]);
    expect((await ask()).text).toBe("From the first");
  });

  test("only when all keys are exhausted does it fail, and then the next model answers", async () => {
    for (const key of [one, two]) {
      upstream.byKey(key, { refusal: { status: 429, type: "quota" } });
    }
    upstream.byModel(gemini, said("Gemini here"));
    const alone = await ask();
    expect(alone.end).toMatchObject({ status: "failed", error: { reason: "provider_unavailable" } });
    expect(alone.attempts.map(({ outcome, trouble }) => [outcome, trouble])).toEqual([
      ["failed", "quota"],
      ["failed", "quota"],
    ]);
    const { end, stored, calls, text } = await ask({ fallbacks: [gemini] });
    expect(end.status).toBe("completed");
    expect(calls).toHaveLength(1);
    expect(text).toBe("Gemini here");
    expect(stored).toMatchObject({ provider: "gemini", model: gemini });
  });

  test.each(
    of<{ name: string; script: Script; trouble: Trouble }>([
      { name: "529 overloaded", script: { refusal: { status: 529, type: "overloaded" } }, trouble: "overloaded" },
      { name: "500", script: { refusal: { status: 500 } }, trouble: "overloaded" },
      { name: "503", script: { refusal: { status: 503 } }, trouble: "overloaded" },
      {
        name: "an overload inside a 200",
        script: { steps: [{ error: { type: "overloaded", message: "Overloaded" } }] },
        trouble: "overloaded",
      },
      { name: "a connection that breaks", script: { steps: [{ cut: true }] }, trouble: "network" },
      { name: "a stream that ends at once", script: { steps: [{ silence: true }] }, trouble: "cut" },
      { name: "what is not JSON", script: { steps: [{ raw: "data: {nonsense\n\n" }] }, trouble: "invalid_stream" },
      { name: "a first byte that does not come", script: { steps: [{ stall: true }] }, trouble: "timeout" },
      // A model on one's own machine has five times as long to begin: it may have to be loaded.
    ]).filter(({ trouble, model }) => trouble !== "timeout" || model !== local),
  )("$vendor: $name before the first word is tried again, and the reader notices nothing", async ({ script, trouble, model }) => {
    upstream.script(script, said("At last"));
    const { end, events, attempts, text, calls } = await ask({ model });
    expect(end.status).toBe("completed");
    expect(text).toBe("At last");
    expect(calls).toHaveLength(2);
    expect(attempts).toMatchObject([{ outcome: "failed", trouble }, { outcome: "completed" }]);
    expect(events.map(({ type }) => type)).toEqual(["run-start", "text-delta", "run-end"]);
  });

  test.each(
    of<{ name: string; step: Step; trouble: Trouble }>([
      { name: "breaks off", step: { cut: true }, trouble: "cut" },
      { name: "ends without the vendor's last word", step: { silence: true }, trouble: "cut" },
      { name: "turns into an error", step: { error: { type: "overloaded", message: "Overloaded" } }, trouble: "overloaded" },
      { name: "turns into nonsense", step: { raw: "data: {nonsense\n\n" }, trouble: "invalid_stream" },
      { name: "falls silent", step: { stall: true }, trouble: "timeout" },
    ]),
  )("$vendor: an answer that $name after its first words has failed, with its text kept", async ({ step, trouble, model }) => {
    upstream.script({ steps: [{ text: "The first words" }, step], usage: { input: 10, output: 5 } });
    const { end, events, attempts, text, calls, stored } = await ask({ model, fallbacks: [haiku] });
    expect(calls).toHaveLength(1);
    expect(end).toMatchObject({ status: "failed", error: { reason: "provider_unavailable" } });
    expect(text).toBe("The first words");
    expect(stored).toMatchObject({ status: "failed", type: "text", error: { reason: "provider_unavailable" } });
    expect(attempts).toMatchObject([{ outcome: "failed", trouble, estimated: true }]);
    expect(attempts[0]?.tokens.output).toBeGreaterThan(0);
    expect(events.map(({ type }) => type)).not.toContain("failover");
    if (trouble === "timeout") expect(await calls[0]?.closed).toBe("by-client");
  });

  test("where the caller asked for it, another model starts over, and says so", async () => {
    upstream.byModel(claude, { steps: [{ reasoning: "Hm." }, { text: "The first words" }, { cut: true }] });
    upstream.byModel(gemini, said("From the beginning"));
    const { end, events, attempts, text, stored } = await ask({ fallbacks: [gemini], failover: true });
    expect(end.status).toBe("completed");
    expect(text).toBe("From the beginning");
    expect(events.find(({ type }) => type === "failover")).toEqual({
      type: "failover",
      from: { provider: "anthropic", model: claude },
      to: { provider: "gemini", model: gemini },
      reason: "provider_unavailable",
      keepThrough: 0,
    });
    expect(attempts.map(({ model, outcome }) => [model, outcome])).toEqual([
      [claude, "failed_over"],
      [gemini, "completed"],
    ]);
    expect(stored).toMatchObject({ model: gemini, provider: "gemini", parts: [{ type: "text", text: "From the beginning" }] });
  });

  test("whoever follows late gets the text that is stored", async () => {
    upstream.byModel(claude, { steps: [{ text: "The first words" }, { cut: true }] });
    upstream.byModel(gemini, said("From the beginning"));
    const { runId } = await ask({ fallbacks: [gemini], failover: true });
    expect(textOf(await follow(runId))).toBe("From the beginning");
  });

  test("no failover after a tool was called", async () => {
    const toolCall = { id: "call-1", name: "weather", input: { city: "Haifa" } };
    upstream.script({ steps: [{ text: "Let me look" }, { toolCall }, { cut: true }] });
    const { end, calls, text } = await ask({ fallbacks: [gemini], failover: true });
    expect(calls).toHaveLength(1);
    expect(end.status).toBe("failed");
    expect(text).toBe("Let me look");
  });

  test("three tries, then the next model, silently", async () => {
    upstream.byModel(claude, { refusal: { status: 529, type: "overloaded" } });
    upstream.byModel(gemini, said("Gemini here"));
    const { end, events, attempts, stored } = await ask({ fallbacks: [haiku, gemini], model: claude });
    expect(end.status).toBe("completed");
    expect(attempts.map(({ model, outcome }) => [model, outcome])).toEqual([
      [claude, "failed"],
      [claude, "failed"],
      [claude, "failed_over"],
      [haiku, "completed"],
    ]);
    expect(events.map(({ type }) => type)).toEqual(["run-start", "text-delta", "run-end"]);
    expect(stored?.model).toBe(haiku);
  });

  test("a request that the model does not take goes to the next model at once", async () => {
    upstream.byModel(claude, { refusal: { status: 400, type: "bad_request", message: "prompt is too long" } });
    upstream.byModel(gemini, said("I take it"));
    const { end, calls } = await ask({ fallbacks: [gemini] });
    expect(end.status).toBe("completed");
    expect(calls).toHaveLength(2);
    const alone = await ask();
    expect(alone.end).toMatchObject({ status: "failed", error: { reason: "provider_rejected" } });
    expect(alone.stored).toMatchObject({ type: "error", status: "failed" });
  });

  test("what a vendor withholds is not asked for elsewhere", async () => {
    for (const model of [claude, gemini, local]) {
      upstream.script({ steps: [{ text: "I must" }], finishReason: "content_filter", usage: { input: 9, output: 2 } });
      const { end, calls, attempts } = await ask({ model, fallbacks: [haiku], failover: true });
      expect(calls).toHaveLength(1);
      expect(end).toMatchObject({ status: "failed", finishReason: "content_filter", error: { reason: "provider_rejected" } });
      expect(attempts).toMatchObject([{ trouble: "content_filter", estimated: false, tokens: { input: 9, output: 2 } }]);
    }
  });

  test.runIf(remembers)("a vendor that fails again and again is left alone for a while, and then tried once", async () => {
    upstream.byModel(claude, { refusal: { status: 503 } });
    await ask();
    const { calls } = await ask();
    expect(calls).toHaveLength(2);
    const refused = await ask();
    expect(refused.calls).toHaveLength(0);
    expect(refused.end).toMatchObject({ status: "failed", error: { reason: "provider_unavailable" } });
    const paused = async () => (await admin.model.providers.query()).items[0]?.details?.pausedModels.map(({ model }) => model);
    expect(await paused()).toEqual([claude]);
    expect((await ask({ model: haiku })).end.status).toBe("completed");
    app.clock.advance({ seconds: 31 });
    expect((await ask()).calls).toHaveLength(1);
    app.clock.advance({ seconds: 31 });
    upstream.byModel(claude, said("Well again"));
    expect((await ask()).text).toBe("Well again");
    expect(await paused()).toEqual([]);
  });

  test("stopping closes the vendor's connection, before the first word and after it", async () => {
    for (const [model, steps] of [
      [claude, [{ stall: true }]],
      [gemini, [{ text: "One" }, { stall: true }]],
      [local, [{ stream: { perSecond: 50 } }]],
    ] satisfies [string, Step[]][]) {
      upstream.script({ steps });
      const { runId } = await start({ model });
      const call = await upstream.nextCall({ kind: "generate" });
      await person.api.chat.stop.mutate({ runId });
      expect(await call.closed).toBe("by-client");
      const end = (await follow(runId)).at(-1) as Ended;
      expect(end).toMatchObject({ status: "stopped" });
    }
  });

  test.each(vendors)(
    "$vendor: keys appear nowhere: not in answers, not in states, not in the log",
    async ({ model, provider, keys }) => {
      const told: unknown[] = [];
      const words = `Incorrect API key provided: ${keys.join(" ")}`;
      const troubles: Script[] = [
        ...[400, 401, 403, 429, 500].map((status) => ({ refusal: { status, message: words } })),
        { steps: [{ error: { type: "bad_request", message: words } }] },
        { steps: [{ text: "So far" }, { error: { type: "overloaded", message: words } }] },
      ];
      for (const trouble of troubles) {
        person = await app.person();
        upstream.otherwise(trouble);
        const { events, end, stored } = await ask({ model });
        expect(end.status).toBe("failed");
        const { items } = await person.api.chat.conversations.list.query({});
        told.push(events, end, stored, items, await admin.model.providers.query(), await admin.model.test.mutate({ provider }));
        app.clock.advance({ seconds: 61 });
      }
      const isTold = () => app.log.lines.some(({ fields }) => inspect(fields.err).includes("Incorrect API key"));
      await expect.poll(isTold).toBe(true);
      const everything = inspect([told, app.log.lines], { depth: 12, maxArrayLength: null, maxStringLength: null });
      expect(everything).not.toContain("canary");
    },
  );
});
