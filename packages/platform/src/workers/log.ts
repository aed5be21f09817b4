import type { Log } from "@parley/core/ports";
import { createDescribeError } from "../shared/log/describe-error.ts";
import { createScrub } from "../shared/log/scrub.ts";

const levels = ["debug", "info", "warn", "error"] as const;
type Level = (typeof levels)[number];

/** JSON lines on the console, where the platform gathers them. */
export function consoleLog({ level: least, secrets }: { level: Level; secrets: readonly string[] }): Log {
  const describeError = createDescribeError(createScrub(secrets));
  const write = (level: Level) => (fields: object, message: string) => {
    if (levels.indexOf(level) < levels.indexOf(least)) return;
    const told = "err" in fields ? { ...fields, err: describeError(fields.err) } : fields;
    console[level](JSON.stringify({ level, time: new Date().toISOString(), ...told, msg: message }));
  };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
