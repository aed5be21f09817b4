import { type Actor, AppError, createFeed, type FeedEntry, type Follow } from "@parley/core";
import { initTRPC, tracked } from "@trpc/server";
import superjson from "superjson";
import * as z from "zod";
import type { Caller } from "../context.ts";
import { errorShape } from "../errors.ts";
import { trackedFeed } from "../tracked-feed.ts";
import { createSocketHub, type SocketHub } from "./hub.ts";
import type { SocketLimits } from "./limits.ts";
import type { Socket } from "./socket.ts";

export interface TestContext {
  requestId: string;
  actor: Actor | null;
  token: string | null;
  world: World;
}

export interface Note {
  text: string;
  at: Date;
}

/** What a test and its procedures tell each other. */
export function createWorld() {
  const topic = createTopic();
  return { topic, happened: [] as string[], serialized: 0, closedFeeds: 0 };
}

export type World = ReturnType<typeof createWorld>;

function createTopic() {
  const entries: FeedEntry<Note>[] = [];
  const readers = new Set<() => void>();
  let ending: { error?: AppError } | undefined;
  const tell = () => {
    for (const advance of [...readers]) advance();
  };
  const follow =
    (after: number): Follow<Note> =>
    (sink) => {
      let position = after;
      let isFull = false;
      const advance = () => {
        while (!isFull && position < entries.length) {
          const entry = entries[position++];
          if (entry && !sink.entry(entry, position < entries.length)) isFull = true;
        }
        if (ending && position === entries.length && readers.delete(advance)) sink.end(ending.error);
      };
      readers.add(advance);
      advance();
      return {
        resume() {
          isFull = false;
          advance();
        },
        stop: () => readers.delete(advance),
        position: () => String(position),
      };
    };
  return {
    follow,
    readers,
    append(text: string) {
      entries.push({ id: String(entries.length + 1), event: { text, at: new Date(0) } });
      tell();
    },
    push(entry: FeedEntry<Note>) {
      entries.push(entry);
      tell();
    },
    end(error?: AppError) {
      ending = error ? { error } : {};
      tell();
    },
  };
}

class BreaksTheFormatter extends Error {}

export function createTestRouter(world: World) {
  const t = initTRPC.context<TestContext>().create({
    transformer: {
      input: superjson,
      output: {
        deserialize: superjson.deserialize,
        serialize(value: unknown) {
          world.serialized++;
          return superjson.serialize(value);
        },
      },
    },
    isDev: false,
    errorFormatter({ error, shape, path }) {
      if (error.cause instanceof BreaksTheFormatter) throw new Error("the formatter is broken");
      if (error.cause instanceof AppError) return errorShape(error.cause, "fixed");
      return { ...shape, data: { ...shape.data, path } };
    },
  });
  const resumable = z.object({ lastEventId: z.string().optional() }).optional();
  const { procedure } = t;
  return t.router({
    add: procedure.input(z.object({ a: z.number(), b: z.number() })).query(({ input }) => input.a + input.b),
    nextDay: procedure.input(z.date()).query(({ input }) => ({ day: new Date(input.getTime() + 86_400_000) })),
    nothing: procedure.query(() => undefined),
    token: procedure.query(({ ctx }) => ctx.token),
    requestId: procedure.query(({ ctx }) => ctx.requestId),
    large: procedure.input(z.number()).query(({ input }) => "x".repeat(input)),
    note: procedure.input(z.string()).mutation(({ ctx, input }) => {
      ctx.world.happened.push(input);
      return { noted: input };
    }),
    refuse: procedure.query(() => {
      throw new AppError("rate_limited", "Not so fast", { retryAfterMs: 5 });
    }),
    crash: procedure.query(() => {
      throw new Error("a secret");
    }),
    unformattable: procedure.query(() => {
      throw new BreaksTheFormatter("cannot be told");
    }),
    unserialisable: procedure.query(() => ({
      get broken(): string {
        throw new Error("cannot be read");
      },
    })),
    streamFromQuery: procedure.query(async function* () {
      yield 1;
    }),
    hold: procedure.mutation(async ({ ctx, signal }) => {
      ctx.world.happened.push("holding");
      await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    }),
    nested: { deep: procedure.query(() => "found") },
    count: procedure.input(z.object({ to: z.number(), lastEventId: z.string().optional() })).subscription(async function* ({
      input,
    }) {
      for (let n = Number(input.lastEventId ?? 0) + 1; n <= input.to; n++) yield tracked(String(n), { n, at: new Date(n) });
    }),
    words: procedure.subscription(async function* () {
      yield "one";
      yield new Date(0);
    }),
    flood: procedure.input(z.number()).subscription(async function* ({ ctx, input }) {
      for (let n = 1; n <= input; n++) {
        ctx.world.happened.push(`${n}`);
        yield tracked(String(n), `${n} ${"x".repeat(10_000)}`);
      }
    }),
    failsLate: procedure.subscription(async function* () {
      yield tracked("1", "fine");
      throw new AppError("unavailable", "Gone");
    }),
    failsEarly: procedure.subscription(async () => {
      await Promise.resolve();
      throw new AppError("not_found", "No such thing");
    }),
    sendsWhatCannotBeSent: procedure.subscription(async function* ({ ctx }) {
      try {
        yield {
          get broken(): string {
            throw new Error("cannot be read");
          },
        };
      } finally {
        ctx.world.happened.push("cleaned up");
      }
    }),
    wait: procedure.input(resumable).subscription(async function* ({ ctx, signal }) {
      ctx.world.happened.push("waiting");
      try {
        yield "first";
        await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
        yield "too late";
      } finally {
        ctx.world.happened.push("cleaned up");
      }
    }),
    notIterable: procedure.subscription(() => 5 as never),
    notes: procedure
      .input(resumable)
      .subscription(({ ctx, input, signal }) =>
        trackedFeed(createFeed(ctx.world.topic.follow(Number(input?.lastEventId ?? 0)), signal)),
      ),
    brokenFeed: procedure.subscription(({ signal }) =>
      trackedFeed(
        createFeed<Note>(() => {
          throw new AppError("unavailable", "No log");
        }, signal),
      ),
    ),
  });
}

export type TestRouter = ReturnType<typeof createTestRouter>;

export function actorOf(token: string | null): TestContext["actor"] {
  if (token === null) return null;
  const [userId = "", sessionId = ""] = token.split("/");
  return {
    userId,
    sessionId,
    permissions: [],
    plan: "free",
    budget: { tokens: null, micros: null },
    via: "session",
    scopes: null,
  };
}

export const quietLog = { warn() {}, debug() {} };

export function createTestHub(world: World, limits: Partial<SocketLimits> = {}): SocketHub {
  let calls = 0;
  return createSocketHub({
    router: createTestRouter(world),
    log: quietLog,
    limits,
    requestId: () => `request-${++calls}`,
    async createContext({ token, origin }: Caller) {
      if (token === "broken") throw new AppError("unavailable", "No database");
      const refusal = token === "unchecked" ? new AppError("unavailable", "The database is busy") : null;
      return { requestId: "", actor: actorOf(token), refusal, origin, token, world };
    },
  });
}

export const query = (id: unknown, path: string, input?: unknown) => ({
  id,
  method: "query",
  params: { path, input: superjson.serialize(input) },
});
export const mutation = (id: unknown, path: string, input?: unknown) => ({ ...query(id, path, input), method: "mutation" });
export const subscription = (id: unknown, path: string, input?: unknown) => ({
  ...query(id, path, input),
  method: "subscription",
});
export const stop = (id: unknown) => ({ id, method: "subscription.stop" });

export class FakeSocket implements Socket {
  sent: string[] = [];
  bufferedAmount = 0;
  isReading = true;
  ending: unknown;
  send(text: string) {
    this.sent.push(text);
    if (!this.isReading) this.bufferedAmount += text.length;
  }
  close(code: number, reason: string) {
    this.ending = { code, reason };
  }
  terminate() {
    this.ending = "terminated";
  }
  read() {
    this.bufferedAmount = 0;
    this.isReading = true;
  }
}
