/// <reference path="./pino-roll.d.ts" />
import path from "node:path";
import type { Log } from "@parley/core/ports";
import { DrizzleQueryError } from "drizzle-orm";
import { type DestinationStream, multistream, pino } from "pino";
import openRollingFile from "pino-roll";

interface Options {
  level: string;
  /** Null writes to standard output only. */
  folder: string | null;
}

const secrets = [
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
];
const redact = { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: "[removed]" };

/** JSON lines; with a folder also daily files of at most 20 MB, kept 14 days, and errors apart, kept 30. */
export async function pinoLog({ level, folder }: Options): Promise<Log & { flush(): Promise<void> }> {
  // A full disk or a reader that has left must not end what is logged about.
  process.stdout.on("error", () => {});
  const options = { level, base: undefined, redact, serializers: { err: describeError } };
  const files = folder ? await openFiles(folder) : [];
  const logger = folder
    ? pino(options, multistream([{ level: "trace", stream: process.stdout }, ...files]))
    : pino(options, process.stdout);
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    flush: async () => {
      await Promise.all(files.map(({ close }) => close()));
    },
  };
}

/** The parameters of a statement that failed are what people wrote. */
export function describeError(error: Error): object {
  const described = pino.stdSerializers.err(error);
  if (!(error instanceof DrizzleQueryError)) return described;
  const { params, ...rest } = described;
  const without = (text: string) => text.replaceAll(`params: ${error.params}`, "params: [removed]");
  return { ...rest, message: without(described.message), stack: without(described.stack) };
}

async function openFiles(folder: string) {
  const file = async (name: string, level: "trace" | "error", days: number) => {
    const stream = await openRollingFile({
      file: path.join(folder, name),
      frequency: "daily",
      dateFormat: "yyyy-MM-dd",
      extension: ".log",
      size: "20m",
      mkdir: true,
      limit: { count: days, removeOtherLogFiles: true },
    });
    stream.on("error", () => {});
    const close = () =>
      new Promise<void>((resolve) => {
        stream.once("close", resolve);
        stream.once("error", () => resolve());
        stream.end();
      });
    return { level, stream: stream as DestinationStream, close } as const;
  };
  return [await file("parley", "trace", 14), await file("errors", "error", 30)];
}
