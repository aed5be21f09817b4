import type { AlertRule } from "./alerts/rules.ts";
import type { PlanBudgets } from "./budgets/budgets.ts";
import type { Deadlines } from "./generation/deadlines.ts";
import type { ModelOverride } from "./models/entries.ts";
import type { Limit } from "./ports.ts";

/** What an operator may choose, as the domain needs it. Null limits nothing. */
export interface Settings {
  jwtSecrets: readonly string[];
  accessTokenTtlMs: number;
  /** A session that is not used for so long ends … */
  sessionTtlMs: number;
  /** … and one that is used, after so long. */
  sessionMaxAgeMs: number;
  maxSessions: number;
  registration: "open" | "invite" | "closed";
  emailVerification: "off" | "required";
  /** Links in letters begin with it. */
  publicUrl: string;
  messageMaxLength: number;
  defaultModel: string | null;
  /** What the operator knows better than the catalogue and the vendors. */
  modelOverrides: ModelOverride[];
  /** Who is asked, in this order, when a model fails and the request names nobody. */
  fallbackModels: string[];
  /** Who thinks of titles and sums up: `same` is the conversation's own model, `off` nobody, anything else a model's id. */
  taskModel: string;
  generation: {
    deadlines: Deadlines;
    /** How long failures are answered with another try or another model. */
    retryMs: number;
    /** How long a title or a summary may take. */
    taskMs: number;
    /** Our own, for each key of a provider. */
    requests: Limit | null;
    tokens: Limit | null;
  };
  budgets: PlanBudgets;
  metrics: { everyMs: number; version: string };
  alerts: {
    rules: readonly AlertRule[];
    /** How long after a first failure a channel is tried again. */
    retryMs: number;
  };
  /** No other process writes to this database: what it finds running at the start is nobody's. */
  soleWriter: boolean;
  limits: {
    guest: Limit | null;
    user: Limit | null;
    signIn: Limit | null;
    passwordReset: Limit | null;
    chat: Limit | null;
    presence: Limit | null;
  };
}
