import type { Alert } from "@parley/contract";
import type { Live } from "../live/live.ts";
import type { Meters } from "../metrics/meters.ts";
import type { AlertChannel, AlertNotice, Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { AlertChannelError } from "./channel-error.ts";
import { findOperators } from "./queries.ts";
import { titleOf } from "./wording.ts";

const tries = 5;
const longestPauseMs = 60_000;

export type Announce = ReturnType<typeof createAnnounce>;

/** Tells operators on all of their devices, and everyone outside who wants to know. */
export function createAnnounce(
  {
    background,
    channels,
    clock,
    database,
    ids,
    log,
  }: Pick<Ports, "background" | "channels" | "clock" | "database" | "ids" | "log">,
  { alerts: { retryMs } }: Pick<Settings, "alerts">,
  { live, meters }: { live: Live; meters: Meters },
) {
  let operators: readonly string[] = [];
  /** Each is told one after the other: what was resolved must not arrive before it was opened. */
  const lines = channels.map((channel) => ({ channel, last: Promise.resolve() }));

  async function send(channel: AlertChannel, notice: AlertNotice) {
    for (let tried = 1; ; tried++) {
      try {
        await channel.send(notice);
        meters.deliveries.add(1, channel.name, "sent");
        return;
      } catch (error) {
        if (tried === tries || (error instanceof AlertChannelError && error.isFinal)) {
          meters.deliveries.add(1, channel.name, "failed");
          log.error({ err: error, channel: channel.name, rule: notice.alert.rule }, "an alert could not be sent");
          return;
        }
        const usualMs = retryMs * 4 ** (tried - 1);
        const askedMs = error instanceof AlertChannelError ? (error.retryAfterMs ?? usualMs) : usualMs;
        await new Promise((resolve) => setTimeout(resolve, Math.min(askedMs, longestPauseMs)));
      }
    }
  }

  const noticeOf = (state: AlertNotice["state"], alert: Alert): AlertNotice => ({ id: ids.next(), state, alert });

  function tellLive(userIds: readonly string[], notice: AlertNotice) {
    const { id, state, alert } = notice;
    const { id: alertId, rule, subject, severity, value, threshold, unit } = alert;
    const data = { state, alertId, rule, subject, severity, value, threshold, unit };
    const notification = { id, kind: "alert" as const, title: titleOf(notice), text: alert.text, data, createdAt: clock.now() };
    live.tell(userIds, { type: "notification", notification });
  }

  return {
    noticeOf,
    tellLive,

    /** Who is told, remembered for when the database is away. */
    async readOperators() {
      operators = await findOperators(database);
    },

    tell(state: "opened" | "resolved", alert: Alert) {
      const notice = noticeOf(state, alert);
      const { id, rule, subject, severity, value, threshold, text } = alert;
      const level = state === "resolved" ? "info" : severity === "critical" ? "error" : "warn";
      log[level]({ alert: id, rule, subject, severity, value, threshold, state }, text);
      if (state === "opened") meters.alerts.add(1, rule, severity);
      tellLive(operators, notice);
      for (const line of lines) {
        line.last = line.last.then(() => send(line.channel, notice));
        background.run(`send an alert (${line.channel.name})`, () => line.last);
      }
    },
  };
}
