import { existsSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { serverEntry } from "./process-node.ts";
import { soakProcesses } from "./process-soak.ts";
import { logKinds } from "./world.ts";

const { SOAK_SEED, SOAK_CASES, SOAK_LOG } = process.env;
const kinds = SOAK_LOG ? logKinds.filter((kind) => kind === SOAK_LOG) : logKinds;

beforeAll(() => expect(existsSync(serverEntry), "`npm test` builds the server first").toBe(true));

describe.each(kinds)("with the events in %s", (kind) => {
  test("nothing is lost or doubled while real processes are killed", { timeout: 240_000 }, async () => {
    const seed = Number(SOAK_SEED ?? 5);
    const cases = Number(SOAK_CASES ?? 25);
    console.log(`${cases} cases with processes on the ${kind} log from seed ${seed}`);
    await soakProcesses({ kind, seed, cases });
  });
});
