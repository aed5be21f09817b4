import { collectingLog } from "@parley/testing";
import { describe } from "vitest";
import { backgroundContract } from "../contracts/background.ts";
import { workerBackground } from "./background.ts";

describe("workerBackground", () =>
  backgroundContract(() => {
    const log = collectingLog();
    const failed = () => log.lines.map(({ fields }) => Reflect.get(fields, "task"));
    const background = workerBackground(log, () => {});
    return { background, begin: (names) => background.begin(names), failed };
  }));
