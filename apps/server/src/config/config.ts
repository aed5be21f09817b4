import type { Variable } from "./variable.ts";
import { type Environment, variables } from "./variables.ts";

/** One line, for the person who starts the server. */
export class ConfigError extends Error {}

/** Reads every variable once. An empty one counts as not set. */
export function readConfig(given: Record<string, string | undefined>): Environment {
  const entries = Object.entries<Variable>(variables).map(([name, variable]) => [
    name,
    readVariable(name, variable, given[name]),
  ]);
  const config: Environment = Object.fromEntries(entries);
  checkSecrets(config);
  if (config.MAIL_API_URL && !config.MAIL_API_KEY)
    throw new ConfigError("MAIL_API_KEY is not set: MAIL_API_URL takes no letter without it");
  if (sendsMail(config) && !config.MAIL_FROM) {
    const by = config.SMTP_URL ? "SMTP_URL" : "MAIL_API_URL";
    throw new ConfigError(`MAIL_FROM is not set: with ${by} it takes the address that mails come from`);
  }
  if (config.EMAIL_VERIFICATION === "required" && !sendsMail(config) && config.NODE_ENV === "production") {
    throw new ConfigError(
      "EMAIL_VERIFICATION is required, but neither SMTP_URL nor MAIL_API_URL is set: nobody could verify an address",
    );
  }
  if (config.ALERT_MAIL_TO.length > 0 && !sendsMail(config)) {
    throw new ConfigError("ALERT_MAIL_TO is set, but neither SMTP_URL nor MAIL_API_URL is: nobody could be told by mail");
  }
  return config;
}

export const sendsMail = ({ SMTP_URL, MAIL_API_URL }: Environment) => SMTP_URL !== null || MAIL_API_URL !== null;

function readVariable(name: string, { schema, fallback, allowed, secret }: Variable, given: string | undefined): unknown {
  const text = given?.trim() || fallback;
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  const shown = secret ? `set to something of ${text.length} characters` : `"${text}"`;
  throw new ConfigError(`${name} is ${shown}, but it takes ${allowed}`);
}

const shortest = 32;
const wellKnown = /^(secret|changeme|change-me|your[-_ ]?secret|default|password|parley)/i;

function checkSecrets({ NODE_ENV, JWT_SECRET }: Environment) {
  const weak = JWT_SECRET.find(
    (secret) => Buffer.byteLength(secret) < shortest || (NODE_ENV === "production" && wellKnown.test(secret)),
  );
  if (weak !== undefined) {
    throw new ConfigError(
      `JWT_SECRET has a secret of ${weak.length} characters that is too short or well known: it takes 32 random bytes or more`,
    );
  }
  if (NODE_ENV === "production" && JWT_SECRET.length === 0) {
    throw new ConfigError("JWT_SECRET is not set: in production it takes 32 random bytes or more (openssl rand -base64 48)");
  }
}
