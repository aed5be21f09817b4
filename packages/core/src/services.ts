import { createAccessChanges } from "./access/changes.ts";
import { createAudit } from "./audit/audit.ts";
import { createAuth } from "./auth/auth.ts";
import { createGatekeeper } from "./auth/gatekeeper.ts";
import { createTokens } from "./auth/tokens.ts";
import { createBudgets } from "./budgets/budgets.ts";
import { createChat } from "./chat/chat.ts";
import { createGenerate } from "./generation/generate.ts";
import { createHealth } from "./generation/health.ts";
import { createThrottle } from "./generation/throttle.ts";
import { createKeys } from "./keys/keys.ts";
import { createLimits } from "./limits.ts";
import { createModels } from "./models/models.ts";
import { createProviders } from "./models/providers.ts";
import type { Ports } from "./ports.ts";
import { createSessions } from "./sessions/sessions.ts";
import type { Settings } from "./settings.ts";
import { createAdministration } from "./users/administration.ts";
import { createUsers } from "./users/users.ts";

export type Services = ReturnType<typeof createServices>;

/** The only wiring of the domain. */
export function createServices(ports: Ports, settings: Settings) {
  const models = createModels(ports, settings);
  const health = createHealth(ports);
  const budgets = createBudgets(ports, settings);
  const generate = createGenerate(ports, settings, { health, budgets, throttle: createThrottle(ports, settings) });
  const tokens = createTokens(ports, settings.jwtSecrets, settings.accessTokenTtlMs);
  const access = createAccessChanges(ports);
  const audit = createAudit(ports);
  const sessions = createSessions(ports, settings, { access, audit, tokens });
  const keys = createKeys(ports, { access, audit });
  const gatekeeper = createGatekeeper(ports, { access, tokens, keys });
  return {
    access,
    administration: createAdministration(ports, { access, audit }),
    auth: createAuth(ports, settings, { access, audit, sessions, keys, gatekeeper }),
    budgets,
    chat: createChat(ports, settings, { models, generate, budgets }),
    keys,
    models,
    limits: createLimits(ports, settings),
    log: ports.log,
    sessions,
    providers: createProviders(ports, { models, health }),
    users: createUsers(ports, { access, audit, budgets }),
  };
}
