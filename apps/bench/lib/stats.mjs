export function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function format(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "-";
  if (typeof value !== "number") return String(value);
  if (value >= 1000) return String(Math.round(value));
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  if (value >= 0.1) return value.toFixed(2);
  return value === 0 ? "0" : value.toPrecision(2);
}

export const times = (value) => (Number.isFinite(value) ? `${value.toFixed(2)}×` : "-");

export function table(head, rows) {
  const line = (cells) => `| ${cells.map(format).join(" | ")} |`;
  return [line(head), `|${head.map((_, index) => (index ? "---:|" : "---|")).join("")}`, ...rows.map(line)].join("\n");
}

/** What was promised beside what was measured: "≤ 1.8× kept". */
export function promise(measured, { most, least, unit = "" } = {}) {
  if (most === undefined && least === undefined) return "";
  const isKept = most === undefined ? measured >= least : measured <= most;
  return `${most === undefined ? `≥ ${least}` : `≤ ${most}`}${unit} ${Number.isFinite(measured) ? (isKept ? "kept" : "**missed**") : "?"}`;
}

/** The median over rounds of `key` of one target. */
export const medianOf = (rounds, name, key) => median(rounds.filter((round) => round[name]).map((round) => round[name][key]));

/** The median over rounds of a target's ratio to another: taken inside each round, so that slow rounds cancel. */
export function ratioTo(rounds, name, reference, key) {
  const complete = rounds.filter((round) => round[name] && round[reference]);
  return median(complete.map((round) => round[name][key] / round[reference][key]));
}

export const failures = (errors) =>
  Object.entries(errors)
    .map(([name, error]) => `\n\n${name}: FAILED: ${String(error).slice(0, 600)}`)
    .join("");

/** Log-linear histogram of microseconds (about 1.5 % wide buckets): cheap enough for every token. */
export class Histogram {
  buckets = new Uint32Array(64 * 40);
  count = 0;
  max = 0;
  sum = 0;

  add(given) {
    const us = Math.max(0, given);
    if (us > this.max) this.max = us;
    this.count++;
    this.sum += us;
    let mantissa = us | 0;
    const exponent = mantissa >= 64 ? 26 - Math.clz32(mantissa) : 0;
    mantissa >>= exponent;
    this.buckets[exponent * 64 + mantissa]++;
  }

  quantile(part) {
    if (this.count === 0) return Number.NaN;
    let needed = Math.max(1, Math.ceil(this.count * part));
    for (let index = 0; index < this.buckets.length; index++) {
      needed -= this.buckets[index];
      if (needed <= 0) return index < 64 ? index : ((index & 63) + 0.5) * 2 ** (index >> 6);
    }
    return this.max;
  }

  json() {
    return {
      n: this.count,
      p50ms: this.quantile(0.5) / 1000,
      p99ms: this.quantile(0.99) / 1000,
      maxms: this.max / 1000,
      meanms: this.sum / this.count / 1000,
    };
  }
}

/** A line of progress, on a terminal only. */
export function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r${text.slice(0, 100).padEnd(100)}`);
}
