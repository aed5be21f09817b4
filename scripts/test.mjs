// `npm test`: sets up, says which services answer, and runs every test. With CI set, the services are required.
import { findServices } from "./services.mjs";
import { prepare, run } from "./setup.mjs";

prepare();
const env = await findServices();
run("vitest", ["run", ...process.argv.slice(2)], { env });
console.log("\nAll tests passed. `npm start` runs the product, `npm run check` the types and the lint.");
