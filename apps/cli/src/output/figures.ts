const local = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short" });

/** For a person in their own time, for a script in UTC. */
export function moment(date: Date | null): string {
  if (date === null) return "";
  return process.stdout.isTTY ? local.format(date) : date.toISOString();
}

const bytes = ["B", "kB", "MB", "GB", "TB"];

export function figure(value: number, unit: string): string {
  switch (unit) {
    case "bytes": {
      const power = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), bytes.length - 1);
      return `${short(value / 1_000 ** power)} ${bytes[power]}`;
    }
    case "percent":
      return `${short(value)} %`;
    case "count":
    case "":
      return short(value);
    default:
      return `${short(value)} ${unit}`;
  }
}

function short(value: number): string {
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toFixed(Math.abs(value) < 1 ? 2 : 1)));
}

const bars = "▁▂▃▄▅▆▇█";

/** As many columns as wanted: of each stretch its highest; a gap where nobody looked. */
export function sparkline(values: readonly (number | null)[], columns: number): string {
  const step = values.length / Math.min(columns, values.length || 1);
  const drawn = Array.from({ length: Math.min(columns, values.length) }, (_, index) => {
    const stretch = values.slice(
      Math.floor(index * step),
      Math.max(Math.floor((index + 1) * step), Math.floor(index * step) + 1),
    );
    const known = stretch.filter((value) => value !== null);
    return known.length === 0 ? null : Math.max(...known);
  });
  const known = drawn.filter((value) => value !== null);
  const [least, most] = [Math.min(0, ...known), Math.max(0, ...known)];
  return drawn
    .map((value) =>
      value === null ? " " : bars[most === least ? 0 : Math.round(((value - least) / (most - least)) * (bars.length - 1))],
    )
    .join("");
}
