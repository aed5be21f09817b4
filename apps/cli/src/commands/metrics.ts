import { command } from "../command.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { usage } from "../failure.ts";
import { interruptible } from "../interruptible.ts";
import { ranges, readFigures } from "../metrics/api.ts";
import { drawFigures } from "../metrics/draw.ts";
import { print, printJson } from "../output/say.ts";

const screen = { clear: "\u001b[H\u001b[2J", enter: "\u001b[?1049h\u001b[?25l", leave: "\u001b[?25h\u001b[?1049l" };

export const metrics = command({
  name: "metrics",
  summary: "Shows how the server is, for operators",
  options: {
    watch: { type: "boolean", short: "w", help: "Again and again, until Ctrl-C" },
    every: { type: "string", value: "SECONDS", help: "How often; by default 5" },
    range: { type: "string", value: "RANGE", help: "1h, 24h or 7d", choices: ranges },
  },
  async run(context, { watch = false, every = "5", range: given = "1h" }) {
    const range = ranges.find((each) => each === given);
    if (!range) throw usage(`--range is 1h, 24h or 7d, not "${given}"`);
    if (!/^[1-9]\d{0,4}$/.test(every)) throw usage(`--every takes seconds, not "${every}"`);
    const isScreen = watch && !context.json && process.stdout.isTTY === true;
    const show = async () => {
      const figures = await readFigures(context.parley(), range);
      if (context.json) return printJson(figures);
      print(`${isScreen ? screen.clear : ""}${drawFigures(figures, range, sizeOf(isScreen))}`);
    };
    if (!watch) return void (await show());
    return watchUntilLeft(show, Number(every) * 1_000, isScreen);
  },
});

async function watchUntilLeft(show: () => Promise<void>, everyMs: number, isScreen: boolean): Promise<ExitCode> {
  let leave = () => {};
  const left = new Promise<"left">((resolve) => {
    leave = () => resolve("left");
  });
  const restore = () => void process.stdout.write(screen.leave);
  if (isScreen) {
    process.stdout.write(screen.enter);
    // Also where the second Ctrl-C ends the process, and no `finally` is reached.
    process.once("exit", restore);
  }
  try {
    return await interruptible(
      async () => leave(),
      async () => {
        for (;;) {
          await show();
          const pause = new Promise((resolve) => setTimeout(resolve, everyMs));
          if ((await Promise.race([pause, left])) === "left") return exitCodes.interrupted;
        }
      },
    );
  } finally {
    if (isScreen) {
      process.off("exit", restore);
      restore();
    }
  }
}

function sizeOf(isScreen: boolean) {
  const { columns = 80, rows = 24 } = process.stdout;
  return { columns, rows: isScreen ? rows - 1 : undefined };
}
