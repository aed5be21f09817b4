import { AppError } from "@parley/core";
import type { Log } from "@parley/core/ports";
import type { OpenMailer } from "../shared/mail/open-mailer.ts";

interface Options {
  /** smtp:// or smtps://, with credentials; settings of nodemailer may follow, such as `?requireTLS=true`. */
  url: string;
  from: string;
  log: Log;
}

const connectionMs = 10_000;
const silenceMs = 20_000;
/** Shorter than the silence: an idle connection says goodbye instead of timing out. */
const idleMs = 15_000;
const deliveryMs = 60_000;

/** Loads its library only when it is called. Connections are opened by the first letters and kept for the next ones. */
export async function smtpMailer({ url, from, log }: Options): Promise<OpenMailer> {
  const transport = await openTransport(url);
  return {
    async send({ to, subject, text, html }) {
      try {
        await transport.sendMail({
          from,
          // As an object it is one address, whatever it contains.
          to: { name: "", address: to },
          subject,
          text,
          html,
          headers: { "Auto-Submitted": "auto-generated" },
          signal: AbortSignal.timeout(deliveryMs),
        });
      } catch (error) {
        log.warn(describe(error), "A letter could not be sent");
        throw new AppError("unavailable", "Mail cannot be sent at the moment: try again later", { retryAfterMs: 30_000 });
      }
    },
    /** Ends what is still under way. */
    async close() {
      transport.close({ force: true });
    },
  };
}

async function openTransport(url: string) {
  const { createTransport } = await import("nodemailer");
  try {
    // Both parsers quote what they refuse, the library's in a warning of Node's too: it must not come to see it.
    new URL(url);
    return createTransport({
      pool: true,
      url,
      connectionTimeout: connectionMs,
      greetingTimeout: connectionMs,
      socketTimeout: silenceMs,
      idleTimeout: idleMs,
    });
  } catch {
    throw new Error("SMTP_URL cannot be understood");
  }
}

/** Without the server's own words: some servers quote what they refuse, be it credentials or the link in the letter. */
function describe(error: unknown): object {
  if (!(error instanceof Error)) return {};
  const { code, originalCode, command, responseCode, response }: Error & SmtpFailure = error;
  if (response === undefined) return { code, originalCode, command, detail: error.message };
  return { code, command, responseCode, status: /^\d{3}[ -](\d\.\d+\.\d+)/.exec(response)?.[1] };
}

interface SmtpFailure {
  code?: string;
  originalCode?: string;
  command?: string;
  responseCode?: number;
  response?: string;
}
