import type { Log } from "@parley/core/ports";
import { httpMailer, logMailer, type OpenMailer } from "@parley/platform/shared";
import type { Environment } from "./config/variables.ts";

/** For any runtime: over HTTP, or into the log. */
export function openMailer({ MAIL_API_URL: url, MAIL_API_KEY: key, MAIL_FROM: from }: Environment, log: Log): OpenMailer {
  return url && key && from ? httpMailer({ url, key, from, log }) : logMailer(log);
}
