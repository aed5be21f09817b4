import type { AlertChannel, Clock, Mailer } from "@parley/core/ports";
import { discordChannel, mailChannel, slackChannel, webhookChannel } from "@parley/platform/shared";
import type { Environment } from "./config/variables.ts";

interface Parts {
  mailer: Mailer;
  node: string;
  clock: Clock;
}

/** Who outside is told of alerts. */
export function alertChannels(config: Environment, { mailer, node, clock }: Parts): AlertChannel[] {
  const { ALERT_WEBHOOK_URL, ALERT_WEBHOOK_SECRET, ALERT_SLACK_URL, ALERT_DISCORD_URL, ALERT_MAIL_TO, PUBLIC_URL: link } = config;
  return [
    ...(ALERT_WEBHOOK_URL ? [webhookChannel({ url: ALERT_WEBHOOK_URL, secret: ALERT_WEBHOOK_SECRET, node, clock })] : []),
    ...(ALERT_SLACK_URL ? [slackChannel({ url: ALERT_SLACK_URL, link })] : []),
    ...(ALERT_DISCORD_URL ? [discordChannel({ url: ALERT_DISCORD_URL, link })] : []),
    ...(ALERT_MAIL_TO.length > 0 ? [mailChannel({ mailer, to: ALERT_MAIL_TO, link })] : []),
  ];
}
