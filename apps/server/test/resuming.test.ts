import type { RunEvent } from "@parley/contract/events";
import { startUpstream } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type Person, type TestApp, testApp } from "./kit.ts";
import { createRandom } from "./soak/random.ts";
import { places } from "./workerd.ts";

const model = "local-model";
const cases = 24;
const atOnce = 6;

/** What a reader has of an answer, through all of its connections. */
interface Reader {
  text: string;
  lastEventId: string | undefined;
  end: Extract<RunEvent, { type: "run-end" }> | undefined;
  drops: number;
}

/** Throws for a hole, a repetition and a second end. */
function take(reader: Reader, id: string, event: RunEvent) {
  if (reader.end) throw new Error(`${event.type} came after the end`);
  reader.lastEventId = id;
  if (event.type === "text-delta") {
    if (event.offset !== reader.text.length) throw new Error(`at ${reader.text.length} came ${event.offset}`);
    reader.text += event.text;
  } else if (event.type === "run-end") {
    reader.end = event;
    reader.text = reader.text.slice(0, event.length);
  }
}

/** A kept connection may be closed by the server in the moment in which it is used again. */
function lostConnection(error: unknown): undefined {
  if (!(error instanceof TypeError && error.message === "fetch failed")) throw error;
}

describe.each(places.filter((place) => place !== "pglite"))("on %s", (database) => {
  let app: TestApp;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  beforeAll(async () => {
    upstream = await startUpstream();
    upstream.models("openai", [model]);
    app = await testApp({ database, env: { OPENAI_COMPATIBLE_BASE_URL: `${upstream.url}/v1` } });
  });
  afterAll(async () => {
    await app?.stop();
    await upstream?.stop();
  });

  /** Until the end, or until so many events have come and the line breaks. */
  function followSocket({ token }: Person, runId: string, { reader, most }: { reader: Reader; most: number }) {
    return new Promise<void>((resolve, reject) => {
      const socket = new WebSocket(`${app.socketUrl}?connectionParams=1`);
      let count = 0;
      const done = (error?: unknown) => {
        socket.terminate();
        if (error) reject(error);
        else resolve();
      };
      socket.on("error", () => done());
      socket.on("close", () => done());
      socket.on("open", () => {
        socket.send(JSON.stringify({ method: "connectionParams", data: { token } }));
        const input = { json: { runId, lastEventId: reader.lastEventId } };
        socket.send(JSON.stringify({ id: 1, method: "subscription", params: { path: "chat.follow", input } }));
      });
      socket.on("message", (data) => {
        try {
          const { error, result } = JSON.parse(data.toString());
          if (error) return done(new Error(JSON.stringify(error)));
          if (result?.type !== "data" || count >= most) return;
          take(reader, result.id, result.data.json.data);
          if (++count >= most || reader.end) done();
        } catch (cause) {
          done(cause);
        }
      });
    });
  }

  async function followEvents({ token }: Person, runId: string, { reader, most }: { reader: Reader; most: number }) {
    const left = new AbortController();
    const input = encodeURIComponent(JSON.stringify({ json: { runId, lastEventId: reader.lastEventId } }));
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${app.url}/trpc/chat.follow?input=${input}`, { headers, signal: left.signal }).catch(
      lostConnection,
    );
    let waiting = "";
    let count = 0;
    try {
      for await (const chunk of answer?.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const parts = (waiting + chunk).split("\n\n");
        waiting = parts.pop() ?? "";
        for (const part of parts) {
          const id = /^id: (.*)$/m.exec(part)?.[1];
          const data = /^data: (.*)$/m.exec(part)?.[1];
          if (id === undefined || data === undefined || count >= most) continue;
          take(reader, id, JSON.parse(data).json);
          count++;
        }
        if (count >= most || reader.end) return;
      }
    } finally {
      left.abort();
    }
  }

  test("readers whose lines break anywhere have every answer byte for byte, also one that was stopped", async () => {
    const seed = Number(process.env.SOAK_SEED ?? 5);
    const random = createRandom(seed);
    const person = await app.person();

    async function play(number: number) {
      const tokens = 20 + random.below(120);
      const isStopped = random.below(3) === 0;
      upstream.script({
        steps: [{ stream: { perSecond: 60 + random.below(200), tokens, characters: 7 } }],
        usage: { input: 1, output: tokens },
      });
      const { answer, conversationId } = await person.api.chat.send.mutate({
        clientMessageId: `${seed}-${number}`,
        content: "Hello",
        model,
      });
      const runId = answer?.runId ?? "";
      const read = async (follow: typeof followSocket) => {
        const reader: Reader = { text: "", lastEventId: undefined, end: undefined, drops: -1 };
        while (!reader.end) {
          reader.drops++;
          if (reader.drops > 200) throw new Error(`A reader does not get on: ${JSON.stringify(reader)}`);
          await follow(person, runId, { reader, most: 1 + random.below(8) });
        }
        return reader;
      };
      // Again where a kept connection was closed as it was used: stopping twice is stopping once.
      const stop = () => person.api.chat.stop.mutate({ runId });
      const stopping = isStopped
        ? new Promise((resolve) => setTimeout(resolve, random.below(600))).then(() => stop().catch(stop))
        : null;
      const readers = await Promise.all([read(followSocket), read(followEvents), read(followSocket)]);
      await stopping;
      const { items } = await person.api.chat.messages.list.query({ conversationId });
      const stored = items.at(-1);
      const said = `case ${number} of seed ${seed}`;
      for (const reader of readers) {
        expect(reader.text, said).toBe(stored?.content);
        expect(reader.end, said).toEqual(readers[0]?.end);
      }
      if (!isStopped) expect(readers[0]?.end?.status, said).toBe("completed");
      return readers.reduce((sum, { drops }) => sum + drops, 0);
    }

    let broken = 0;
    for (let first = 0; first < cases; first += atOnce) {
      const drops = await Promise.all(Array.from({ length: atOnce }, (_, index) => play(first + index)));
      broken += drops.reduce((sum, each) => sum + each, 0);
    }
    // Where deltas are merged there are fewer events to break at.
    expect(broken).toBeGreaterThan(cases / 4);
  }, 180_000);
});
