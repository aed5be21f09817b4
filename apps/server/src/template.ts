import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { makePgliteTemplate } from "@parley/platform/node/pglite";

// Part of the build: a new database folder with its schema, so that no first start has to make one.
const migrations = fileURLToPath(new URL("./drizzle", import.meta.url));
await writeFile(new URL("./pglite-template.tar.gz", import.meta.url), await makePgliteTemplate(migrations));
