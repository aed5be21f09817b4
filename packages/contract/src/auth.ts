import * as z from "zod";
import { text } from "./text.ts";

/** 8 to 128 characters with an upper and a lower case letter, a digit and a special character. */
export const Password = text()
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

export const Register = z.object({
  email: Email,
  password: Password,
  username: Username.optional(),
  displayName: text().trim().min(1).max(100).optional(),
  device: z.object({ name: text().trim().max(100) }).optional(),
});
export type Register = z.output<typeof Register>;

export const Login = z.object({
  identifier: text().trim().min(1).max(254),
  password: text().min(1).max(128),
  device: z.object({ name: text().trim().max(100) }).optional(),
});
export type Login = z.output<typeof Login>;

export const Plan = z.enum(["free", "pro", "enterprise"]);
export type Plan = z.output<typeof Plan>;

export const User = z.object({
  id: z.uuid(),
  email: z.string(),
  username: z.string().nullable(),
  displayName: z.string(),
  role: z.string(),
  plan: Plan,
  createdAt: z.date(),
});
export type User = z.output<typeof User>;

export const Session = z.object({
  id: z.uuid(),
  device: z.object({ name: z.string().nullable(), userAgent: z.string().nullable() }),
  ip: z.string().nullable(),
  createdAt: z.date(),
  expiresAt: z.date(),
});
export type Session = z.output<typeof Session>;

export const SignedIn = z.object({
  user: User,
  session: Session,
  tokens: z.object({
    accessToken: z.string(),
    refreshToken: z.string().optional(),
    expiresIn: z.int(),
    tokenType: z.literal("Bearer"),
  }),
});
export type SignedIn = z.output<typeof SignedIn>;

export const Me = z.object({ user: User, session: z.object({ id: z.uuid() }) });
export type Me = z.output<typeof Me>;
