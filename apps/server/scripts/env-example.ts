import { writeFile } from "node:fs/promises";
import { envExample } from "../src/config/env-example.ts";

await writeFile(new URL("../../../.env.example", import.meta.url), envExample());
