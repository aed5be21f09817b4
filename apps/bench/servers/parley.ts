// Our server through its own entry, with the provider of the bench in place of the vendors'.
import { fileURLToPath } from "node:url";
import { pinoLog } from "../../../packages/platform/src/node/log/log.ts";
import { readConfig } from "../../server/src/config/config.ts";
import { startServer } from "../../server/src/start.ts";
import { onDemandProvider } from "./on-demand-provider.ts";

const { CONTROL_PORT, ...environment } = process.env;
const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const config = readConfig(environment);
const log = pinoLog({ level: config.LOG_LEVEL, folder: null, secrets: [] });
const onDemand = onDemandProvider(Number(CONTROL_PORT));
const assets = { migrations: beside("../product/drizzle"), pgliteTemplate: beside("../product/pglite-template.tar.gz") };
const server = await startServer(config, { assets, log, overrides: { providers: [onDemand] } });

process.on("SIGTERM", async () => {
  onDemand.end();
  await server.stop();
  process.exit(0);
});
