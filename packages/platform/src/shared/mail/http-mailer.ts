import { AppError } from "@parley/core";
import type { Log } from "@parley/core/ports";
import { post } from "../post.ts";
import type { OpenMailer } from "./open-mailer.ts";

interface Options {
  /** Takes a letter as JSON: `from`, `to`, `subject`, `text`, `html`. */
  url: string;
  key: string;
  from: string;
  log: Log;
}

const timeoutMs = 15_000;

/** For a mail service that is spoken to over HTTP: where there is no SMTP, as on Workers. */
export function httpMailer({ url, key, from, log }: Options): OpenMailer {
  return {
    async send({ to, subject, text, html }) {
      const body = JSON.stringify({ from, to: [to], subject, text, html, headers: { "Auto-Submitted": "auto-generated" } });
      const headers = { "content-type": "application/json", authorization: `Bearer ${key}`, "user-agent": "Parley" };
      const posted = await post({ url, headers, body, timeoutMs });
      if ("status" in posted && posted.status >= 200 && posted.status < 300) return;
      // Without the service's own words: it may quote the link in the letter.
      log.warn("status" in posted ? { status: posted.status } : { trouble: posted.trouble }, "A letter could not be sent");
      throw new AppError("unavailable", "Mail cannot be sent at the moment: try again later", { retryAfterMs: 30_000 });
    },
    async close() {},
  };
}
