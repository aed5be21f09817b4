// `npm run edge:migrate`: a worker applies no migrations. Before each deployment, with DATABASE_URL.
import { openPostgres } from "@parley/platform/node/postgres";
import { migrationsFolder } from "../migrations-folder.ts";

const { DATABASE_URL: url } = process.env;
if (!url) throw new Error("DATABASE_URL is not set: it takes the database itself, not Hyperdrive");
const database = await openPostgres({ url, migrations: migrationsFolder, poolSize: 1 });
console.log((await database.isMigrated()) ? "The database is up to date" : "The database is of another version");
await database.close();
