import { createAuth } from "./auth/auth.ts";
import { createChat } from "./chat/chat.ts";
import { createLimits } from "./limits.ts";
import { createModels } from "./models/models.ts";
import type { Ports } from "./ports.ts";
import type { Settings } from "./settings.ts";

export type Services = ReturnType<typeof createServices>;

/** The only wiring of the domain. */
export function createServices(ports: Ports, settings: Settings) {
  const models = createModels(ports, settings);
  return {
    auth: createAuth(ports, settings),
    chat: createChat(ports, settings, models),
    models,
    limits: createLimits(ports, settings),
    log: ports.log,
  };
}
