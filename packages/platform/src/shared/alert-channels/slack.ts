import { factsOf, titleOf } from "@parley/core";
import type { AlertChannel } from "@parley/core/ports";
import { colorOf } from "./colors.ts";
import { type PostOptions, postAlert } from "./post.ts";

interface Options extends PostOptions {
  /** Where people reach this server; null where nobody knows. */
  link: string | null;
}

/** An incoming webhook of Slack. */
export function slackChannel({ link, ...target }: Options): AlertChannel {
  return {
    name: "slack",
    async send(notice) {
      const fields = factsOf(notice).map(({ name, value }) => ({
        type: "mrkdwn",
        text: `*${name}*\n${value instanceof Date ? time(value) : escaped(value)}`,
      }));
      const blocks = [
        { type: "section", fields },
        ...(link === null ? [] : [{ type: "context", elements: [{ type: "mrkdwn", text: `<${escaped(link)}|Open Parley>` }] }]),
      ];
      // The text is what notifications and screen readers give.
      const text = `*${escaped(titleOf(notice))}*\n${escaped(notice.alert.text)}`;
      await postAlert(target, JSON.stringify({ text, attachments: [{ color: colorOf(notice), blocks }] }));
    },
  };
}

/** Slack's own three: nothing of a name becomes a mention or a link. */
const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").slice(0, 1_500);

/** In the reader's own time zone. */
const time = (at: Date) =>
  `<!date^${Math.floor(at.getTime() / 1_000)}^{date_short_pretty} {time_secs}|${at.toISOString().slice(0, 19)}Z>`;
