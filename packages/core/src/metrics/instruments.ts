/** Labels must never come from outside: an id, a name that people choose. Should it happen, memory stays bounded. */
const usualMost = 300;
const beyond = "other";

interface Definition {
  /** As Prometheus wants it: the unit at its end, `_total` for what only grows. */
  name: string;
  help: string;
  labels?: readonly string[];
  /** So many combinations of labels; what comes after them is `other`. */
  mostCells?: number;
}

export interface Instrument extends Definition {
  kind: "counter" | "gauge" | "histogram";
}

/** What only grows while the process lives. */
export interface Counter extends Instrument {
  kind: "counter";
  add(amount: number, ...labels: string[]): void;
  cells(): Iterable<{ labels: readonly string[]; value: number }>;
}

/** What is read when somebody asks. */
export interface Gauge extends Instrument {
  kind: "counter" | "gauge";
  cells(): Iterable<{ labels: readonly string[]; value: number }>;
}

export type Read = () => Iterable<{ labels: readonly string[]; value: number }>;

export interface Distribution {
  labels: readonly string[];
  /** One more than there are bounds: the last is for what is over all of them. */
  counts: readonly number[];
  sum: number;
  /** The largest since it was last forgotten. */
  most: number;
}

export interface Histogram extends Instrument {
  kind: "histogram";
  /** Upper ends of the buckets, in the unit of what is observed. */
  bounds: readonly number[];
  observe(amount: number, ...labels: string[]): void;
  forgetMost(): void;
  cells(): Iterable<Distribution>;
}

export type AnyInstrument = Counter | Gauge | Histogram;

/** Plain numbers in memory: counting costs a look into a map. What reads them takes them as they are. */
export function createInstruments() {
  const all: AnyInstrument[] = [];

  function keep<Kept extends AnyInstrument>(instrument: Kept): Kept {
    all.push(instrument);
    return instrument;
  }

  return {
    all: all as readonly AnyInstrument[],

    counter(definition: Definition): Counter {
      const cells = createCells(definition, (labels) => ({ labels, value: 0 }));
      return keep({
        ...definition,
        kind: "counter",
        add(amount, ...labels) {
          cells.at(labels).value += amount;
        },
        cells: cells.all,
      });
    },

    gauge(definition: Definition, read: Read): Gauge {
      return keep({ ...definition, kind: "gauge", cells: read });
    },

    /** What somebody else counts. */
    total(definition: Definition, read: Read): Gauge {
      return keep({ ...definition, kind: "counter", cells: read });
    },

    histogram({ bounds, ...definition }: Definition & { bounds: readonly number[] }): Histogram {
      const zeros = () => new Array<number>(bounds.length + 1).fill(0);
      const cells = createCells(definition, (labels) => ({ labels, counts: zeros(), sum: 0, most: 0 }));
      return keep({
        ...definition,
        kind: "histogram",
        bounds,
        observe(amount, ...labels) {
          const cell = cells.at(labels);
          let bucket = 0;
          while (bucket < bounds.length && amount > (bounds[bucket] ?? 0)) bucket++;
          cell.counts[bucket] = (cell.counts[bucket] ?? 0) + 1;
          cell.sum += amount;
          if (amount > cell.most) cell.most = amount;
        },
        forgetMost() {
          for (const cell of cells.all()) cell.most = 0;
        },
        cells: cells.all,
      });
    },
  };
}

function createCells<Cell>({ labels: names = [], mostCells = usualMost }: Definition, make: (labels: readonly string[]) => Cell) {
  const cells = new Map<string, Cell>();
  return {
    at(labels: readonly string[]): Cell {
      const key = labels.length === 1 ? (labels[0] ?? "") : labels.join("\n");
      const known = cells.get(key);
      if (known) return known;
      const isFull = cells.size >= mostCells && labels.some((label) => label !== beyond);
      if (isFull) return this.at(names.map(() => beyond));
      const cell = make(labels);
      cells.set(key, cell);
      return cell;
    },
    all: () => cells.values(),
  };
}

export const countOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

/** About where a share of what was observed lies: within its bucket, as if it were spread evenly. Null when nothing was. */
export function quantile(
  { counts, most }: Pick<Distribution, "counts" | "most">,
  bounds: readonly number[],
  share: number,
): number | null {
  const wanted = share * countOf(counts);
  let before = 0;
  for (const [bucket, count] of counts.entries()) {
    if (count > 0 && before + count >= wanted) {
      const from = bounds[bucket - 1] ?? 0;
      const to = Math.max(from, Math.min(bounds[bucket] ?? most, most));
      return from + ((wanted - before) / count) * (to - from);
    }
    before += count;
  }
  return null;
}
