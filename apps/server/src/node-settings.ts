import type { Settings } from "@parley/core";
import type { OpenDatabase } from "@parley/platform/node";
import { readAlertRules } from "./config/alert-rules-file.ts";
import { localSecret } from "./config/local-secret.ts";
import { readModelsFile } from "./config/models-file.ts";
import type { Environment } from "./config/variables.ts";
import { settingsOf } from "./settings.ts";

/** With what the environment points to on this machine's disk. */
export async function readSettings(config: Environment, database: OpenDatabase["kind"]): Promise<Settings> {
  return settingsOf(config, {
    jwtSecrets: config.JWT_SECRET.length > 0 ? config.JWT_SECRET : [await localSecret(config.DATA_DIR)],
    modelOverrides: await readModelsFile(config.MODELS_FILE),
    alertRules: await readAlertRules(config.ALERT_RULES),
    soleWriter: database === "pglite",
  });
}
