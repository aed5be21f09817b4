import type { Letter, Mailer } from "@parley/core/ports";

/** Keeps letters, to open their links in a test. */
export function collectingMailer() {
  const letters: Letter[] = [];
  const mailer: Mailer = {
    async send(letter) {
      letters.push(letter);
    },
  };
  const to = (email: string) => letters.filter((letter) => letter.to === email);
  /** The token in the newest letter to an address. */
  const tokenFor = (email: string) => /#token=([\w-]+)/.exec(to(email).at(-1)?.text ?? "")?.[1] ?? "";
  return { mailer, letters, to, tokenFor };
}
