import type { Log } from "@parley/core/ports";
import { type Level, pino } from "pino";
import { createDescribeError } from "../../shared/log/describe-error.ts";
import { createScrub } from "../../shared/log/scrub.ts";
import { dailyFile } from "./daily-file.ts";
import { lineBuffer } from "./line-buffer.ts";

interface Options {
  level: Level;
  /** Null writes to standard output only. */
  folder: string | null;
  /** Whatever happens, these are in no error's line. */
  secrets: readonly string[];
}

export interface NodeLog extends Log {
  /** The last words of a process, in a file of their own: written before this returns. */
  crash(kind: "uncaughtException" | "unhandledRejection", error: unknown): void;
  flush(): void;
}

const days = { all: 14, errors: 30 };
const errorLevel = 50;
/** A reader of standard output that stands still loses lines, and does not fill our memory. */
const mostUnread = 8 * 1_024 * 1_024;

const secretNames = new Set([
  "password",
  "newPassword",
  "currentPassword",
  "token",
  "accessToken",
  "refreshToken",
  "authorization",
  "cookie",
  "key",
  "apiKey",
]);

/** JSON lines; with a folder also daily files of at most 20 MB, kept 14 days, and errors and crashes apart, kept 30. */
export function pinoLog({ level, folder, secrets }: Options): NodeLog {
  const describeError = createDescribeError(createScrub(secrets));
  const file = (name: string, days: number) => (folder === null ? null : dailyFile({ folder, name, days }));
  const everything = file("parley", days.all);
  const errors = file("errors", days.errors);
  const crashes = {
    uncaughtException: file("crashes", days.errors),
    unhandledRejection: file("rejections", days.errors),
  };
  // A full disk or a reader that has left must not end what is logged about.
  process.stdout.on("error", () => {});
  const lines = lineBuffer((text) => {
    if (process.stdout.writableLength < mostUnread) process.stdout.write(text);
    everything?.write(text);
  });
  const destination = {
    // Asks pino for the level of each line.
    [Symbol.for("pino.metadata")]: true,
    lastLevel: 0,
    write(line: string) {
      lines.write(line);
      if (this.lastLevel < errorLevel) return;
      errors?.write(line);
      lines.flush();
    },
  };
  const logger = pino({ level, base: undefined, serializers: { err: describeError } }, destination);
  process.on("exit", lines.flush);
  const write = (level: "debug" | "info" | "warn" | "error") => (fields: object, message: string) => {
    if (logger.isLevelEnabled(level)) logger[level](withoutSecrets(fields), message);
  };
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    crash(kind, error) {
      const lastWords = { at: new Date(), kind, process: process.pid, err: describeError(error) };
      crashes[kind]?.write(`${JSON.stringify(lastWords)}\n`);
    },
    flush: lines.flush,
  };
}

/** By their names, should one ever come. The fields themselves are left as they are. */
function withoutSecrets(fields: object, depth = 0): object {
  let copy: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(fields)) {
    const isPlain = depth < 2 && typeof value === "object" && value !== null && !(value instanceof Error);
    const kept =
      secretNames.has(name) && typeof value === "string" ? "[removed]" : isPlain ? withoutSecrets(value, depth + 1) : value;
    if (kept === value) continue;
    copy ??= { ...fields };
    copy[name] = kept;
  }
  return copy ?? fields;
}
