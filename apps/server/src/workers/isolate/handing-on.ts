import type { Memory } from "@parley/core";
import { spanTotals } from "@parley/core/metrics";
import type { Log } from "@parley/core/ports";
import { type Bindings, metersOf } from "../bindings.ts";
import { addCoolDowns } from "../objects/cool-downs.ts";
import { type Open, openIn } from "../objects/reports.ts";
import type { EdgeTelemetry } from "./edge-telemetry.ts";

/** What calls of so long a time have counted goes on together. */
const gatherMs = 2_000;
/** Of what is open somebody hears so often, also where nothing happens. */
const renewMs = 30_000;

export type HandingOn = ReturnType<typeof createHandingOn>;

interface Parts {
  memory: Pick<Memory, "meters" | "coolDowns">;
  telemetry: EdgeTelemetry;
  log: Log;
}

/**
 * Takes what this isolate has counted and traced to whoever keeps it, off the path of every answer. Requests and objects of an
 * isolate share nothing here but plain data: a promise or a connection of one would break in another.
 */
export function createHandingOn({ memory: { meters, coolDowns }, telemetry, log }: Parts) {
  const isolate = crypto.randomUUID();
  const sources = new Set<() => Partial<Open>>();
  const openNow = () => openIn(Array.from(sources, (source) => source()));
  let told = { open: JSON.stringify(openNow()), at: 0 };
  let plannedUntil = 0;

  async function tellMeters(bindings: Pick<Bindings, "METERS">): Promise<void> {
    const open = openNow();
    const spans = telemetry.takeTotals();
    const counted = [...meters.instruments.take(), ...(spans.length > 0 ? [{ name: spanTotals.name, cells: spans }] : [])];
    const text = JSON.stringify(open);
    const isRenewed = sources.size > 0 && Date.now() - told.at >= renewMs;
    if (counted.length === 0 && text === told.open && !isRenewed) return;
    told = { open: text, at: Date.now() };
    try {
      // Once: whether a batch that failed has arrived nobody knows, and what is counted twice is worse than what is not.
      addCoolDowns(coolDowns, await metersOf(bindings).add({ isolate, counted, open, coolDowns }));
    } catch (error) {
      log.warn({ err: error }, "what was counted could not be handed on");
    }
  }

  async function now(bindings: Pick<Bindings, "METERS">): Promise<void> {
    await Promise.all([tellMeters(bindings), telemetry.flush()]);
  }

  return {
    /** At the end of whoever has counted. */
    now,
    /** After a request: together with what others have counted by then. */
    soon(bindings: Pick<Bindings, "METERS">, hold: (work: Promise<void>) => void): void {
      if (Date.now() < plannedUntil) return;
      // Should the one who waits be put out, the next one does it.
      plannedUntil = Date.now() + 2 * gatherMs;
      const gathered = new Promise<void>((resolve) => setTimeout(resolve, gatherMs));
      hold(
        gathered.then(() => {
          plannedUntil = 0;
          return now(bindings);
        }),
      );
    },
    /** Tells of something that is open, until the function that it answers with is called. It is asked by whoever hands on. */
    include(source: () => Partial<Open>): () => void {
      sources.add(source);
      return () => void sources.delete(source);
    },
  };
}
