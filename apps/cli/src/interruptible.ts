import { exitCodes } from "./exit-codes.ts";
import { note } from "./output/say.ts";

/** The first Ctrl-C asks for an end and waits for it, the second one leaves at once. */
export async function interruptible<Result>(
  interrupt: () => Promise<unknown>,
  work: (isInterrupted: () => boolean) => Promise<Result>,
): Promise<Result> {
  let isInterrupted = false;
  let failed = (_error: unknown) => {};
  const failure = new Promise<never>((_, reject) => {
    failed = reject;
  });
  const listen = () => {
    if (isInterrupted) process.exit(exitCodes.interrupted);
    isInterrupted = true;
    note("\nCtrl-C again leaves at once");
    interrupt().catch(failed);
  };
  process.on("SIGINT", listen);
  try {
    return await Promise.race([work(() => isInterrupted), failure]);
  } finally {
    process.off("SIGINT", listen);
  }
}
