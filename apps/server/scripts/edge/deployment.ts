import { readFileSync } from "node:fs";
import * as z from "zod";

const Deployment = z.object({
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
  durable_objects: z.object({ bindings: z.array(z.object({ name: z.string(), class_name: z.string() })) }),
});

// Comments have lines of their own there.
const text = readFileSync(new URL("../../wrangler.jsonc", import.meta.url), "utf8").replace(/^\s*\/\/.*$/gm, "");
const deployed = Deployment.parse(JSON.parse(text));

/** As it is deployed. */
export const compatibility = {
  compatibilityDate: deployed.compatibility_date,
  compatibilityFlags: deployed.compatibility_flags,
};

/** By their bindings. */
export const durableObjects = Object.fromEntries(
  deployed.durable_objects.bindings.map(({ name, class_name: className }) => [name, { className, useSQLite: true }]),
);
