import type { Plan } from "@parley/contract";
import type { Limit } from "@parley/core/ports";
import * as z from "zod";

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `15m`, `7d`, `500ms` → milliseconds. */
export const duration = z.string().transform((text, context) => {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const unit = match?.[2];
  if (match && (unit === "ms" || unit === "s" || unit === "m" || unit === "h" || unit === "d"))
    return Number(match[1]) * unitMs[unit];
  context.addIssue({ code: "custom" });
  return z.NEVER;
});

/** How long something may live: long enough to be used, and not past what a date can say. */
export const lifetime = duration.refine((milliseconds) => milliseconds >= 10_000 && milliseconds <= 3_650 * unitMs.d);

/** How long to wait for something. */
export const timeout = duration.refine((milliseconds) => milliseconds >= 1_000 && milliseconds <= unitMs.d);

/** Whole seconds, which is what stores count in, and no longer than a timer can wait. */
const limitWindow = duration.refine(
  (milliseconds) => milliseconds >= 1_000 && milliseconds % 1_000 === 0 && milliseconds <= 24 * unitMs.d,
);

/** `10/1m`, `100/15m/60s` (the third part: how long the caller stays blocked), or `off`. */
export const limit = z.string().transform((text, context): Limit | null => {
  if (text === "off") return null;
  const [count = "", window = "", block, ...rest] = text.split("/");
  const windowMs = limitWindow.safeParse(window);
  const blockMs = block === undefined ? undefined : limitWindow.safeParse(block);
  const isValid = /^[1-9]\d{0,8}$/.test(count) && windowMs.success && blockMs?.success !== false && rest.length === 0;
  if (isValid) return { count: Number(count), windowMs: windowMs.data, ...(blockMs?.success && { blockMs: blockMs.data }) };
  context.addIssue({ code: "custom" });
  return z.NEVER;
});

const plans: Plan[] = ["free", "pro", "enterprise"];

/** `free=5/1m,pro=20/1m,enterprise=100/1m`, or one value for every plan. A plan that is not named has none. */
const byPlan = <Value>(schema: z.ZodType<Value | null, string>) =>
  z.string().transform((text, context): Record<Plan, Value | null> => {
    const values: Record<Plan, Value | null> = { free: null, pro: null, enterprise: null };
    for (const entry of text.split(",")) {
      const [name, value] = entry.includes("=") ? entry.split("=", 2) : [null, entry];
      const named = name === null ? plans : plans.filter((plan) => plan === name?.trim());
      const parsed = schema.safeParse(value?.trim());
      if (!parsed.success || named.length === 0) {
        context.addIssue({ code: "custom" });
        return z.NEVER;
      }
      for (const plan of named) values[plan] = parsed.data;
    }
    return values;
  });

export const limitByPlan = byPlan(limit);

export const orOff = <Value>(schema: z.ZodType<Value, string>) => z.union([z.literal("off").transform(() => null), schema]);

/** `free=200000,pro=5000000`, or `off`. */
export const tokensByPlan = byPlan(
  orOff(
    z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
  ),
);

/** `free=0.50,pro=20`, in whole units of money and up to six places; becomes micro-units. */
export const moneyByPlan = byPlan(
  orOff(
    z
      .string()
      .regex(/^\d{1,9}(\.\d{1,6})?$/)
      .transform((amount) => Math.round(Number(amount) * 1_000_000)),
  ),
);

export const address = (...schemes: string[]) =>
  z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1)));

/** Of all that comes: 0.1, 1. */
export const share = z
  .string()
  .regex(/^(0|1|[01]?\.\d{1,9})$/)
  .transform(Number)
  .pipe(z.number().min(0).max(1));

/** `name=value,name=value`, with the values percent-encoded: the form that OpenTelemetry gives its headers. */
export const headerList = z.string().transform((text, context): Record<string, string> => {
  const headers = new Headers();
  try {
    for (const entry of text.split(",").filter((part) => part.trim() !== "")) {
      const [name = "", ...value] = entry.split("=");
      headers.set(decodeURIComponent(name.trim()), decodeURIComponent(value.join("=").trim()));
    }
    return Object.fromEntries(headers);
  } catch {
    context.addIssue({ code: "custom" });
    return z.NEVER;
  }
});

/** An address with a key and the number of a project: https://key@sentry.example/7. */
export const sentryDsn = address("http", "https").refine((text) => {
  const { username, pathname } = new URL(text);
  return /^\w+$/.test(username) && /\/\d+$/.test(pathname);
});

/** Comma-separated. */
export const list = z.string().transform((text) =>
  text
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean),
);

export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max));

/** What is called without signing in: no runtime calls an address that holds a password. */
export const openAddress = address("http", "https").refine((text) => {
  const { username = "", password = "" } = URL.canParse(text) ? new URL(text) : {};
  return username === "" && password === "";
});

export const mailAddresses = list.refine((addresses) => addresses.every((each) => /^[^\s@<>]+@[^\s@<>]+$/.test(each)));

export const orNone = <Schema extends z.ZodType>(schema: Schema) => z.union([z.literal("").transform(() => null), schema]);
