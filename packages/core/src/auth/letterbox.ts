import type { Session } from "@parley/contract";
import {
  accountExistsLetter,
  inviteLetter,
  newSignInLetter,
  passwordChangedLetter,
  resetPasswordLetter,
  verifyEmailLetter,
} from "../mail/letters.ts";
import type { Letter, Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { createLinks, type LinkKind } from "./links.ts";
import { fold } from "./names.ts";
import type { UserRow } from "./queries.ts";

/** One person gets at most so many letters of a kind. */
const lettersPerPerson = { count: 3, windowMs: 60 * 60_000 };
const sweepMs = 60 * 60_000;

/** Letters with links in them. What is in a link is a secret: it goes to the person, and nowhere else. */
export function createLetterbox(
  {
    database,
    clock,
    mailer,
    background,
    rateLimiter,
  }: Pick<Ports, "database" | "clock" | "mailer" | "background" | "rateLimiter">,
  { publicUrl }: Settings,
) {
  const links = createLinks({ database, clock });
  background.every("sweep links", sweepMs, links.sweep);

  const pageAt = (page: string) => `${publicUrl.replace(/\/$/, "")}/${page}`;
  /** After `#`: browsers keep that part to themselves, so that no log on the way has it. */
  const linkTo = (page: string, token: string) => `${pageAt(page)}#token=${token}`;

  /** `whom` is an account's id, or the address of somebody who has none. */
  async function post(whom: string, kind: string, write: () => Promise<Letter>) {
    const { allowed } = await rateLimiter.consume(`letter-${kind}`, whom, lettersPerPerson);
    if (allowed) await mailer.send(await write());
  }

  const addressOf = (user: UserRow) => ({ to: user.email, name: user.displayName, language: user.language });

  return {
    open: (kind: LinkKind, token: string) => links.use(kind, token),

    verifyEmail(user: UserRow) {
      background.run("verification letter", () =>
        post(user.id, "verify", async () => {
          const { token, hours } = await links.make("verify_email", user.id);
          return verifyEmailLetter({ ...addressOf(user), link: linkTo("verify-email", token), expiresInHours: hours });
        }),
      );
    },

    resetPassword: (user: UserRow) =>
      post(user.id, "reset", async () => {
        const { token, hours } = await links.make("reset_password", user.id);
        return resetPasswordLetter({ ...addressOf(user), link: linkTo("reset-password", token), expiresInHours: hours });
      }),

    passwordChanged(user: UserRow) {
      background.run("letter about a new password", () =>
        mailer.send(passwordChangedLetter({ ...addressOf(user), link: pageAt("forgot-password") })),
      );
    },

    /** Without the name that the device gives itself: whoever has stolen a password would choose a soothing one. */
    newSignIn(user: UserRow, { device: { browser, os } }: Session) {
      const device = [browser, os].filter(Boolean).join(", ") || null;
      background.run("letter about a sign-in", () =>
        post(user.id, "sign-in", async () => newSignInLetter({ ...addressOf(user), link: pageAt("sessions"), device })),
      );
    },

    /** To somebody who registers again, or whose address somebody tries. */
    accountExists(user: UserRow) {
      background.run("letter about an account", () =>
        post(user.id, "exists", async () => {
          // The earlier letter would confirm a password that may be a stranger's.
          await links.drop("verify_email", user.id);
          const { token, hours } = await links.make("reset_password", user.id);
          return accountExistsLetter({ ...addressOf(user), link: linkTo("reset-password", token), expiresInHours: hours });
        }),
      );
    },

    /** Whoever is invited is not known yet: the letter is in the language of whoever invites. */
    async invitation({ id, language }: UserRow, email: string | undefined) {
      const { token, expiresAt, hours } = await links.make("invite", id);
      const link = linkTo("register", token);
      if (email !== undefined) {
        background.run("invitation letter", () =>
          post(fold(email), "invite", async () => inviteLetter({ to: email, name: null, link, language, expiresInHours: hours })),
        );
      }
      return { token, expiresAt, link };
    },
  };
}
