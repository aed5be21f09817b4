import type { ChangePassword, CreateInvitation, Invitation, Login, Me, Refresh, Register, Session, User } from "@parley/contract";
import type { AccessChanges } from "../access/changes.ts";
import type { Audit } from "../audit/audit.ts";
import { openGeneralRoom } from "../conversations/public-rooms.ts";
import { AppError, invalidField } from "../errors.ts";
import type { Keys } from "../keys/keys.ts";
import type { Meters } from "../metrics/meters.ts";
import type { Ports } from "../ports.ts";
import type { IssuedTokens, Sessions } from "../sessions/sessions.ts";
import type { Settings } from "../settings.ts";
import { orGone } from "../users/own-account.ts";
import type { UserRecords } from "../users/user-records.ts";
import type { Actor, Origin } from "./actor.ts";
import type { Gatekeeper } from "./gatekeeper.ts";
import { createLetterbox } from "./letterbox.ts";
import { hashLink } from "./links.ts";
import { fold, isCommonPassword, normalizePassword } from "./names.ts";
import {
  findTaken,
  findUser,
  findUserByEmail,
  hasAccounts,
  insertUser,
  markEmailVerified,
  type NewUser,
  setPasswordHash,
  type UserRow,
} from "./queries.ts";
import { createSetupCode } from "./setup-code.ts";
import { createSignIn } from "./sign-in.ts";

type AuthPorts = Pick<Ports, "database" | "passwords" | "clock" | "ids" | "mailer" | "background" | "rateLimiter" | "log">;

export interface OpenedSession {
  user: User;
  session: Session;
  tokens: IssuedTokens;
}

export function createAuth(
  ports: AuthPorts,
  settings: Settings,
  parts: {
    access: AccessChanges;
    audit: Audit;
    sessions: Sessions;
    keys: Keys;
    gatekeeper: Gatekeeper;
    records: UserRecords;
    meters: Meters;
  },
) {
  const { database, passwords, clock, ids } = ports;
  const { access, audit, sessions, keys, gatekeeper, records, meters } = parts;
  const letterbox = createLetterbox(ports, settings);
  const signIn = createSignIn(ports, { audit, meters });
  const setupCode = createSetupCode(settings.jwtSecrets);
  const isVerificationRequired = settings.emailVerification === "required";
  let isFounded = false;

  async function openSession(user: UserRow, deviceName: string | undefined, origin: Origin): Promise<OpenedSession> {
    const { isKnownDevice, ...opened } = await sessions.open(user, deviceName ?? null, origin);
    // Whoever signs in for the first time knows of it.
    if (!isKnownDevice && user.lastLoginAt) letterbox.newSignIn(user, opened.session);
    return { user: publicUser(user), ...opened };
  }

  /** The first account of all belongs to whoever sits at the machine, or has the code that its start has printed. */
  async function mayFound(input: Register, origin: Origin): Promise<boolean> {
    isFounded ||= await hasAccounts(database);
    if (isFounded) return false;
    if (origin.isLocal || (input.setupCode !== undefined && (await setupCode).matches(input.setupCode))) return true;
    throw new AppError("forbidden", "The first account needs the set-up code that the server printed when it started");
  }

  /** The first account comes with the first room: both once, or neither. */
  function insertAccount(user: NewUser): Promise<boolean> {
    if (!user.isFounder) return insertUser(database, user);
    return database.transaction(async (transaction) => {
      const isMade = await insertUser(transaction, user);
      if (isMade) await openGeneralRoom(transaction, { id: ids.next(), ownerId: user.id });
      return isMade;
    });
  }

  function checkInvitation(input: Register) {
    if (settings.registration === "closed") throw new AppError("registration_closed", "Nobody can register here");
    if (settings.registration === "invite" && input.invitation === undefined) {
      throw new AppError("registration_closed", "Registration here is by invitation");
    }
  }

  async function setPassword(user: UserRow, newPassword: string, before: string | null): Promise<boolean> {
    const passwordHash = await hashNew(newPassword);
    return setPasswordHash(database, { id: user.id, passwordHash, before });
  }

  function hashNew(password: string): Promise<string> {
    if (isCommonPassword(password)) throw invalidField("password", "This password is one of the first that are tried");
    return passwords.hash(normalizePassword(password));
  }

  return {
    /** Shown at the start while there is no account. */
    async setupCode(): Promise<string | null> {
      return (await hasAccounts(database)) ? null : (await setupCode).code;
    },

    async register(input: Register, origin: Origin): Promise<OpenedSession | { next: "verify_email" }> {
      let isFounder = await mayFound(input, origin);
      if (!isFounder) checkInvitation(input);
      const now = clock.now();
      // A name that is only taken for new addresses would tell which address is new: it can be chosen after the letter.
      const username = isVerificationRequired && !isFounder ? undefined : input.username;
      const user = {
        id: ids.next(),
        email: input.email,
        emailKey: fold(input.email),
        username: username ?? null,
        usernameKey: username === undefined ? null : fold(username),
        displayName: input.displayName ?? input.username ?? input.email.slice(0, input.email.indexOf("@")),
        passwordHash: await hashNew(input.password),
        emailVerifiedAt: null,
        createdAt: now.toISOString(),
      };
      const invitation = !isFounder && input.invitation !== undefined ? await hashLink(input.invitation) : null;
      let isMade = await insertAccount({ ...user, isFounder, invitation });
      if (!isMade && isFounder) {
        // Somebody else was the first in the meantime.
        isFounder = false;
        checkInvitation(input);
        isMade = await insertAccount({ ...user, isFounder, invitation });
      }
      isFounded = true;
      if (!isMade) return refuseRegistration(user, invitation !== null);
      audit.done(user.id, "account.register", { target: `user:${user.id}`, address: origin.address });
      const made = await findUser(database, user.id);
      if (!made) throw new AppError("conflict", "The account was deleted in the meantime");
      if (!isVerificationRequired || isFounder) return openSession(made, input.device?.name, origin);
      letterbox.verifyEmail(made);
      return { next: "verify_email" };
    },

    async login(input: Login, origin: Origin): Promise<OpenedSession> {
      const user = await signIn(input, origin);
      if (isVerificationRequired && !user.emailVerifiedAt && !user.isFounder) {
        letterbox.verifyEmail(user);
        throw new AppError("email_unverified", "Open the link in the mail that we have sent you first");
      }
      return openSession(user, input.device?.name, origin);
    },

    refresh: (refreshToken: string, { attemptId }: Refresh, origin: Origin) =>
      sessions.refresh(refreshToken, attemptId ?? null, origin),

    async logout(actor: Actor, origin: Origin): Promise<void> {
      requireSession(actor);
      await sessions.endOne(actor, actor.sessionId, "logout", origin);
    },

    async me(actor: Actor): Promise<Me> {
      const user = publicUser(orGone(await records.find(actor.userId)));
      return { user, session: actor.via === "session" ? { id: actor.sessionId } : null };
    },

    /** Ends every other session. Keys stay: a reset, which may follow a theft, ends those too. */
    async changePassword(actor: Actor, input: ChangePassword, origin: Origin): Promise<void> {
      requireSession(actor);
      const user = await findUser(database, actor.userId);
      if (!user || !(await passwords.verify(user.passwordHash, normalizePassword(input.currentPassword)))) {
        throw new AppError("invalid_credentials", "The current password is wrong");
      }
      if (!(await setPassword(user, input.newPassword, user.passwordHash))) {
        throw new AppError("conflict", "The password was changed in the meantime");
      }
      await sessions.end(user.id, { reason: "password", except: actor.sessionId });
      audit.done(user.id, "password.change", { target: `user:${user.id}`, address: origin.address });
      letterbox.passwordChanged(user);
    },

    /** The answer is the same, and as fast, whether there is such an account or not. */
    requestPasswordReset(email: string): void {
      ports.background.run("password reset", async () => {
        const user = await findUserByEmail(database, fold(email));
        if (user) await letterbox.resetPassword(user);
      });
    },

    async resetPassword(token: string, newPassword: string, origin: Origin): Promise<void> {
      const passwordHash = await hashNew(newPassword);
      const userId = await letterbox.open("reset_password", token);
      const user = userId && (await findUser(database, userId));
      if (!user) throw new AppError("not_found", "This link does not work: it was used, is too old, or was never made");
      await setPasswordHash(database, { id: user.id, passwordHash, before: null });
      // Whoever has the letter has the address.
      await markEmailVerified(database, user.id, clock.now().toISOString());
      access.apply({ kind: "profile_changed", userId: user.id });
      await sessions.end(user.id, { reason: "password" });
      await keys.revokeAll(user.id);
      audit.done(user.id, "password.reset", { target: `user:${user.id}`, address: origin.address });
      letterbox.passwordChanged(user);
    },

    async requestEmailVerification(actor: Actor): Promise<void> {
      const user = await findUser(database, actor.userId);
      if (user && !user.emailVerifiedAt) letterbox.verifyEmail(user);
    },

    async verifyEmail(token: string, origin: Origin): Promise<void> {
      const userId = await letterbox.open("verify_email", token);
      if (!userId) throw new AppError("not_found", "This link does not work: it was used, is too old, or was never made");
      await markEmailVerified(database, userId, clock.now().toISOString());
      access.apply({ kind: "profile_changed", userId });
      audit.done(userId, "email.verify", { target: `user:${userId}`, address: origin.address });
    },

    async invite(actor: Actor, input: CreateInvitation, origin: Origin): Promise<Invitation> {
      const inviter = orGone(await findUser(database, actor.userId));
      audit.done(inviter.id, "invite.create", { target: null, address: origin.address });
      return letterbox.invitation(inviter, input?.email);
    },

    authenticate: gatekeeper.authenticate,
    restore: gatekeeper.restore,
  };

  async function refuseRegistration(user: { emailKey: string; usernameKey: string | null }, wasInvited: boolean) {
    const { email, username } = await findTaken(database, user);
    if (username) throw new AppError("username_taken", "This username is taken");
    if (!email) {
      if (wasInvited) throw new AppError("registration_closed", "This invitation does not hold: it was used, or is too old");
      throw new AppError("conflict", "The account could not be made: try again");
    }
    if (!isVerificationRequired) throw new AppError("email_taken", "There is an account with this e-mail address");
    // Nobody learns here whether an address is known; its owner does.
    const owner = await findUserByEmail(database, user.emailKey);
    // Whoever has the letter chooses the password: the one that was given first may be a stranger's.
    if (owner) letterbox.accountExists(owner);
    return { next: "verify_email" as const };
  }
}

/** A key serves a program: it does not change how its owner signs in. */
export function requireSession(actor: Actor): void {
  if (actor.via === "key") throw new AppError("forbidden", "This needs a session: an API key cannot do it");
}

export function publicUser(row: User): User {
  const { id, email, username, displayName, role, plan, createdAt } = row;
  return { id, email, username, displayName, role, plan, createdAt };
}
