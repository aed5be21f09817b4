import type { AnyInstrument } from "@parley/core/metrics";

/** Prometheus's text format. */
export function exposed(instruments: readonly AnyInstrument[]): string {
  const lines: string[] = [];
  for (const instrument of instruments) {
    const { name, help, kind, labels: names = [] } = instrument;
    lines.push(`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${kind}`);
    const line = (suffix: string, labels: readonly string[], value: number, extra = "") => {
      const pairs = names.map((label, place) => `${label}="${escaped(labels[place] ?? "").replaceAll('"', '\\"')}"`);
      if (extra) pairs.push(extra);
      lines.push(`${name}${suffix}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${written(value)}`);
    };
    if (instrument.kind !== "histogram") {
      for (const { labels, value } of instrument.cells()) line("", labels, value);
      continue;
    }
    for (const { labels, counts, sum } of instrument.cells()) {
      let total = 0;
      for (const [bucket, count] of counts.entries()) {
        total += count;
        line("_bucket", labels, total, `le="${written(instrument.bounds[bucket] ?? Number.POSITIVE_INFINITY)}"`);
      }
      line("_sum", labels, sum);
      line("_count", labels, total);
    }
  }
  return `${lines.join("\n")}\n`;
}

const escaped = (text: string) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");

function written(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}
