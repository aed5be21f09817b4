import type { Context } from "../context.ts";
import { forTerminal, oneLine } from "./clean.ts";
import { toJson } from "./json.ts";
import { dim } from "./style.ts";

export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** What others wrote: as it is, but for a terminal. */
export function printText(text: string): void {
  print(process.stdout.isTTY ? forTerminal(text) : text);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${toJson(value, process.stdout.isTTY ? 2 : undefined)}\n`);
}

/** For a person who looks on: nothing where errors are collected. */
export function note(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${dim(forTerminal(text), process.stderr)}\n`);
}

/** What was done, in a line or as JSON. */
export function tell({ json }: Context, value: unknown, words: string): void {
  if (json) printJson(value);
  else print(oneLine(words));
}
