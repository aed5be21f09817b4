import { collectingLog, memoryCache, nodeBackground, testClock } from "@parley/testing";
import { describe, expect, test, vi } from "vitest";
import type { AccessChange } from "../access/changes.ts";
import { createMeters } from "../metrics/meters.ts";
import { createCaches, type Kind } from "./caches.ts";

const minuteMs = 60_000;
const times = { ttlMs: 10 * minuteMs, staleMs: 5 * minuteMs, keepMs: 60 * minuteMs };
const read = (stored: unknown) => {
  if (typeof stored !== "string" && stored !== null) throw new Error("This is not a text");
  return stored;
};

function openNodes() {
  const clock = testClock();
  const cache = memoryCache(clock);
  return {
    clock,
    cache,
    /** One process of several. */
    node(kind: Partial<Kind<string | null>> = {}) {
      const log = collectingLog();
      const background = nodeBackground(log);
      const meters = createMeters();
      const listeners: ((change: AccessChange) => void)[] = [];
      const feed = { fresh: true };
      const access = {
        isFresh: () => feed.fresh,
        onChange: (listener: (change: AccessChange) => void) => listeners.push(listener),
      };
      const caches = createCaches({ cache, clock, background, log }, { access, meters });
      const texts = caches.cached<string | null>({ name: "texts", ...times, ...kind });
      return {
        ...texts,
        log,
        feed,
        background,
        tell(userId: string) {
          for (const listener of listeners) listener({ kind: "profile_changed", userId });
        },
        stats: () => caches.stats().kinds[0],
        counted: () => Array.from(meters.cache.cells(), ({ labels, value }) => [...labels, value]),
      };
    },
  };
}

/** Work that a test ends, and counts. */
function work() {
  const calls: { end(text: string): void; fail(error: Error): void }[] = [];
  return {
    calls,
    make: () => new Promise<string>((end, fail) => calls.push({ end, fail })),
    begun: (count: number) => vi.waitFor(() => expect(calls).toHaveLength(count), { interval: 1 }),
  };
}

const always = (text: string | null) => async () => text;
const never = () => Promise.reject(new Error("the source is away"));

describe.each([
  { kind: "a process has for itself", own: {} },
  { kind: "nodes share", own: { read } },
])("what $kind", ({ own }) => {
  test("a hundred who ask at once get one computation", async () => {
    const node = openNodes().node(own);
    const { make, calls, begun } = work();
    const asked = Array.from({ length: 100 }, () => node.get("a", make));
    await begun(1);
    calls[0]?.end("made");
    expect(new Set(await Promise.all(asked))).toEqual(new Set(["made"]));
    expect(await node.get("a", never)).toBe("made");
    expect(calls).toHaveLength(1);
    expect(node.counted()).toEqual([
      ["texts", "miss", 100],
      ["texts", "hit", 1],
    ]);
  });

  test("a failure goes to all who wait, and is not remembered", async () => {
    const node = openNodes().node(own);
    const { make, calls, begun } = work();
    const asked = Array.from({ length: 100 }, () => node.get("a", make));
    await begun(1);
    calls[0]?.fail(new Error("no"));
    const results = await Promise.allSettled(asked);
    expect(results.every(({ status }) => status === "rejected")).toBe(true);
    expect(await node.get("a", always("made"))).toBe("made");
  });

  test("what is old is given out while a new one is made behind it, once", async () => {
    const { clock, node: open } = openNodes();
    const node = open(own);
    await node.get("a", always("old"));
    clock.advance({ seconds: 11 * 60 });
    const { make, calls, begun } = work();
    for (let count = 0; count < 20; count++) expect(await node.get("a", make)).toBe("old");
    await begun(1);
    expect(await node.get("a", make)).toBe("old");
    calls[0]?.end("new");
    await node.background.settled();
    expect(await node.get("a", make)).toBe("new");
    expect(calls).toHaveLength(1);
    expect(node.stats()).toMatchObject({ entries: 1, hits: 1, stale: 21, misses: 1 });
  });

  test("what is too old for that is waited for", async () => {
    const { clock, node: open } = openNodes();
    const node = open(own);
    await node.get("a", always("old"));
    clock.advance({ seconds: 16 * 60 });
    expect(await node.get("a", always("new"))).toBe("new");
  });

  test("where none can be made the old one stays for a while, and not every caller tries", async () => {
    const { clock, node: open } = openNodes();
    const node = open(own);
    await node.get("a", always("old"));
    let tries = 0;
    const fail = () => {
      tries++;
      return never();
    };
    for (const minutes of [11, 20, 38]) {
      clock.advance({ seconds: minutes * 60 });
      for (let count = 0; count < 10; count++) expect(await node.get("a", fail)).toBe("old");
      await node.background.settled();
    }
    expect(tries).toBe(3);
    expect(node.log.lines).toMatchObject(Array.from({ length: 3 }, () => ({ level: "warn", fields: { cache: "texts" } })));
    clock.advance({ seconds: 120 });
    await expect(node.get("a", fail)).rejects.toThrow("the source is away");
  });

  test("that there is nothing is remembered for less long, and never past its time", async () => {
    const { clock, node: open } = openNodes();
    const node = open({ ...own, nothingMs: 20_000 });
    expect(await node.get("a", always(null))).toBeNull();
    clock.advance({ seconds: 19 });
    expect(await node.get("a", always("there"))).toBeNull();
    clock.advance({ seconds: 2 });
    expect(await node.get("a", always("there"))).toBe("there");
    expect(await node.get("b", always(null))).toBeNull();
    clock.advance({ seconds: 21 });
    await expect(node.get("b", never)).rejects.toThrow("the source is away");
  });

  test("it is made anew for whoever insists, and a failure then leaves what there is", async () => {
    const node = openNodes().node(own);
    await node.get("a", always("old"));
    expect(await node.renew("a", always("new"))).toBe("new");
    await expect(node.renew("a", never)).rejects.toThrow("the source is away");
    expect(await node.get("a", never)).toBe("new");
  });

  test("only so much is remembered: what was asked for least recently goes", async () => {
    const { cache, node: open } = openNodes();
    const node = open({ ...own, maxEntries: 100 });
    for (let count = 0; count < 1_000; count++) {
      await node.get("often", always("first"));
      await node.get(String(count), always("first"));
    }
    for (const key of ["often", "10", "999"]) await cache.delete(`texts:${key}`);
    expect(await node.get("often", always("again"))).toBe("first");
    expect(await node.get("999", always("again"))).toBe("first");
    expect(await node.get("10", always("again"))).toBe("again");
    expect(node.stats()?.entries).toBe(100);
  });
});

describe("what a change makes old", () => {
  const droppedBy = ({ userId }: AccessChange) => userId;

  test("is asked for anew", async () => {
    const node = openNodes().node({ droppedBy });
    await node.get("a", always("old"));
    await node.get("b", always("other"));
    node.tell("a");
    expect(await node.get("a", always("new"))).toBe("new");
    expect(await node.get("b", never)).toBe("other");
  });

  test("is not kept where it came from before the change, nor given to whoever asks after it", async () => {
    const node = openNodes().node({ droppedBy });
    const { make, calls, begun } = work();
    const before = node.get("a", make);
    await begun(1);
    node.tell("a");
    const after = node.get("a", make);
    await begun(2);
    calls[1]?.end("new");
    expect(await after).toBe("new");
    calls[0]?.end("old");
    expect(await before).toBe("old");
    expect(await node.get("a", never)).toBe("new");
  });

  test("is asked for each time while changes cannot be heard, and trusted again after", async () => {
    const node = openNodes().node({ droppedBy });
    await node.get("a", always("old"));
    node.feed.fresh = false;
    expect(await node.get("a", always("new"))).toBe("new");
    expect(await node.get("a", always("newer"))).toBe("newer");
    node.feed.fresh = true;
    expect(await node.get("a", never)).toBe("old");
  });
});

describe("nodes that share", () => {
  test("one makes it, and the others have it when they ask", async () => {
    const { node } = openNodes();
    const [left, right] = [node({ read }), node({ read })];
    await left.get("a", always("left"));
    expect(await right.get("a", never)).toBe("left");
    expect(right.counted()).toEqual([["texts", "hit", 1]]);
  });

  test("ten that ask at once get one computation", async () => {
    const { node } = openNodes();
    const { make, calls, begun } = work();
    const asked = Array.from({ length: 10 }, () => node({ read }).get("a", make));
    await begun(1);
    calls[0]?.end("made");
    expect(new Set(await Promise.all(asked))).toEqual(new Set(["made"]));
    expect(calls).toHaveLength(1);
  });

  test("where one fails, another tries", async () => {
    const { node } = openNodes();
    const [left, right] = [node({ read }), node({ read })];
    const { make, calls, begun } = work();
    const first = left.get("a", make);
    await begun(1);
    const second = right.get("a", make);
    calls[0]?.fail(new Error("no"));
    await expect(first).rejects.toThrow("no");
    await begun(2);
    calls[1]?.end("made");
    expect(await second).toBe("made");
  });

  test("one that died while it made a value is waited for no longer than its claim lasts", async () => {
    const { cache, clock, node } = openNodes();
    await cache.claim("texts:a:claim", 15_000);
    const asked = node({ read }).get("a", always("made"));
    clock.advance({ seconds: 16 });
    expect(await asked).toBe("made");
  });

  test("one that has just started has the old value while the source is away", async () => {
    const { clock, node } = openNodes();
    await node({ read }).get("a", always("old"));
    clock.advance({ seconds: 30 * 60 });
    const late = node({ read });
    expect(await late.get("a", never)).toBe("old");
    expect(await late.get("a", always("new"))).toBe("old");
    clock.advance({ seconds: 6 });
    expect(await late.get("a", always("new"))).toBe("new");
  });

  test("what is no such value is made anew", async () => {
    const { cache, clock, node } = openNodes();
    const madeAt = clock.now().getTime();
    for (const stored of [1, null, "text", { value: 5, madeAt }, { value: "a", madeAt: "now" }, { madeAt }]) {
      await cache.set("texts:a", stored, minuteMs);
      expect(await node({ read }).get("a", always("made"))).toBe("made");
      expect(await node({ read }).get("a", never)).toBe("made");
    }
  });

  test("one whose clock is ahead makes nothing last longer", async () => {
    const { cache, clock, node } = openNodes();
    const ahead = { value: "old", madeAt: clock.now().getTime() + 24 * 60 * minuteMs };
    await cache.set("texts:a", ahead, 24 * 60 * minuteMs);
    const late = node({ read, staleMs: 0 });
    expect(await late.get("a", never)).toBe("old");
    await cache.delete("texts:a");
    clock.advance({ seconds: 11 * 60 });
    expect(await late.get("a", always("new"))).toBe("new");
  });
});
