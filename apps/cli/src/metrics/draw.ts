import stringWidth from "string-width";
import { oneLine } from "../output/clean.ts";
import { figure, moment, sparkline } from "../output/figures.ts";
import { bold, cyan, dim, red, yellow } from "../output/style.ts";
import type { Figures, Range } from "./api.ts";

/** What is looked at first; the others follow. */
const first = [
  "cpu_usage",
  "memory_usage",
  "process_memory",
  "event_loop_delay",
  "db_response_time",
  "api_response_time",
  "error_rate",
  "runs_active",
];

interface Screen {
  columns: number;
  /** Without them, as many lines as there are. */
  rows?: number;
}

/** What is open, then figures and their lines, node by node. */
export function drawFigures(
  { nodes, units, series, alerts, database }: Figures,
  range: Range,
  { columns, rows }: Screen,
): string {
  const lines = alerts.map(({ severity, text, openedAt }) => {
    const colour = severity === "critical" ? red : yellow;
    return colour(`! ${oneLine(text)} (since ${moment(openedAt)})`);
  });
  for (const { name: node, at, values, details } of nodes) {
    lines.push("", `${bold(oneLine(node))} ${dim(`${oneLine(details.version)}, at ${moment(at)}, the last ${range}`)}`);
    const names = [...new Set([...first.filter((name) => name in values), ...Object.keys(values).sort()])];
    const width = Math.max(0, ...names.map((name) => stringWidth(oneLine(name))));
    for (const name of names) {
      const value = figure(values[name] ?? 0, oneLine(units[name] ?? "")).padStart(15);
      const drawn = series.find((each) => each.name === name && each.node === node);
      const line = drawn ? sparkline(drawn.values, Math.max(columns - width - 19, 10)) : "";
      lines.push(`${oneLine(name).padEnd(width)} ${value}  ${cyan(line)}`.trimEnd());
    }
  }
  if (database) lines.push("", `${bold("database")} ${figure(database.bytes, "bytes")}`);
  const [head, ...rest] = lines;
  const shown = head === "" ? rest : lines;
  return `${shown.slice(0, rows).join("\n")}\n`;
}
