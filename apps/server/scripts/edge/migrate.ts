// `npm run edge:migrate`: a worker applies no migrations. Before each deployment, with DATABASE_URL.
import { applyMigrations } from "./migrations.ts";

const { DATABASE_URL: url } = process.env;
if (!url) throw new Error("DATABASE_URL is not set: it takes the database itself, not Hyperdrive");
console.log((await applyMigrations(url)) ? "The database is up to date" : "The database is of another version");
