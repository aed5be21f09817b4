import * as z from "zod";
import { object } from "./object.ts";
import { id, text } from "./text.ts";

/** 8 to 128 characters with an upper and a lower case letter, a digit and a special character. */
const Password = text()
  .min(8, "A password has at least 8 characters")
  .max(128, "A password has at most 128 characters")
  .regex(/\p{Lu}/u, "A password needs an upper case letter")
  .regex(/\p{Ll}/u, "A password needs a lower case letter")
  .regex(/\p{Nd}/u, "A password needs a digit")
  .regex(/[^\p{L}\p{N}]/u, "A password needs a special character");

export const Email = text().trim().max(254).pipe(z.email("This is not an e-mail address"));

export const Username = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N}._-]{2,31}$/u, "A username has 3 to 32 letters, digits, dots, dashes or underscores");

const Device = object(() => ({ name: text().trim().max(100).optional() }));

export const Register = object(() => ({
  email: Email,
  password: Password,
  username: Username.optional(),
  displayName: text().trim().min(1).max(100).optional(),
  device: Device.optional(),
  /** Tokens go into cookies and not into the answer. */
  cookie: z.boolean().optional(),
  /** Where registration is by invitation. */
  invitation: z.string().max(100).optional(),
  /** For the first account of all when it is not made on the machine itself: printed at the start. */
  setupCode: z.string().max(100).optional(),
}));
export type Register = z.output<typeof Register>;

export const Login = object(() => ({
  identifier: text().trim().min(1).max(254),
  password: text().min(1).max(128),
  device: Device.optional(),
  cookie: z.boolean().optional(),
}));
export type Login = z.output<typeof Login>;

export const Plan = z.enum(["free", "pro", "enterprise"]);
export type Plan = z.output<typeof Plan>;

export const User = object(() => ({
  id: id(),
  email: z.string(),
  username: z.string().nullable(),
  displayName: z.string(),
  role: z.string(),
  plan: Plan,
  createdAt: z.date(),
}));
export type User = z.output<typeof User>;

export const Session = object(() => ({
  id: id(),
  device: z.object({ name: z.string().nullable(), browser: z.string().nullable(), os: z.string().nullable() }),
  ip: z.string().nullable(),
  createdAt: z.date(),
  lastActiveAt: z.date(),
  expiresAt: z.date(),
}));
export type Session = z.output<typeof Session>;

export const SessionList = z.array(Session.extend({ current: z.boolean() }));
export type SessionList = z.output<typeof SessionList>;

/** Without the tokens themselves where they are in cookies. */
export const Tokens = object(() => ({
  accessToken: z.string().optional(),
  refreshToken: z.string().optional(),
  expiresIn: z.int(),
  tokenType: z.literal("Bearer"),
}));
export type Tokens = z.output<typeof Tokens>;

export const SignedIn = object(() => ({ user: User, session: Session, tokens: Tokens }));
export type SignedIn = z.output<typeof SignedIn>;

export const Registered = z.union([SignedIn, object(() => ({ next: z.literal("verify_email") }))]);
export type Registered = z.output<typeof Registered>;

export const Refresh = object(() => ({
  /** Without it, the one in the cookie. */
  refreshToken: z.string().max(200).optional(),
  /** Made and kept by the client before it asks: a repetition of the same attempt is answered as the first. */
  attemptId: text().min(8).max(100).optional(),
}));
export type Refresh = z.output<typeof Refresh>;

export const Refreshed = object(() => ({ tokens: Tokens }));
export type Refreshed = z.output<typeof Refreshed>;

export const ChangePassword = object(() => ({ currentPassword: text().min(1).max(128), newPassword: Password }));
export type ChangePassword = z.output<typeof ChangePassword>;

export const RequestPasswordReset = object(() => ({ email: Email }));
export type RequestPasswordReset = z.output<typeof RequestPasswordReset>;

const LinkToken = z.string().min(1).max(100);

export const ResetPassword = object(() => ({ token: LinkToken, newPassword: Password }));
export type ResetPassword = z.output<typeof ResetPassword>;

export const VerifyEmail = object(() => ({ token: LinkToken }));
export type VerifyEmail = z.output<typeof VerifyEmail>;

export const Done = object(() => ({ done: z.literal(true) }));
export type Done = z.output<typeof Done>;

/** Null for a call that was made with a key. */
export const Me = object(() => ({ user: User, session: z.object({ id: id() }).nullable() }));
export type Me = z.output<typeof Me>;
