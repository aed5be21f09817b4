import type { Log } from "@parley/core/ports";
import type { OpenMailer } from "./open-mailer.ts";

/** Without a mail server: whoever reads the log gets the links. */
export function logMailer(log: Log): OpenMailer {
  return {
    async send({ to, subject, text }) {
      log.info(
        { to, subject, text },
        "There is no mail server (SMTP_URL, MAIL_API_URL): this letter was not sent, its link is here",
      );
    },
    async close() {},
  };
}
