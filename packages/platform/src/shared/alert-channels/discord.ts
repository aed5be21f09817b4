import { factsOf, titleOf } from "@parley/core";
import type { AlertChannel } from "@parley/core/ports";
import { colorOf } from "./colors.ts";
import { type PostOptions, postAlert } from "./post.ts";

interface Options extends PostOptions {
  /** Where people reach this server; null where nobody knows. */
  link: string | null;
}

/** A webhook of a Discord channel. */
export function discordChannel({ link, ...target }: Options): AlertChannel {
  return {
    name: "discord",
    async send(notice) {
      const fields = factsOf(notice).map(({ name, value }) => ({
        name,
        value: value instanceof Date ? time(value) : escaped(value),
        inline: true,
      }));
      const embed = {
        title: escaped(titleOf(notice)),
        description: escaped(notice.alert.text),
        color: Number.parseInt(colorOf(notice).slice(1), 16),
        fields,
        ...(link !== null && { url: link }),
      };
      // Whatever a node is called, nobody is woken by an @everyone in it.
      await postAlert(target, JSON.stringify({ embeds: [embed], allowed_mentions: { parse: [] } }));
    },
  };
}

/** Its marks, and no more than a field takes. */
const escaped = (text: string) => text.slice(0, 500).replace(/[\\*_~`|>[\]()#]/g, "\\$&");

/** In the reader's own time zone. */
const time = (at: Date) => `<t:${Math.floor(at.getTime() / 1_000)}:f>`;
