import path from "node:path";
import { freePort, launch, RESULTS } from "./proc.mjs";

/** Starts a target and has it prepared. `context` is the target's for the whole run. */
export async function bringUp(name, target, context, { row, profile }) {
  context.port = await freePort();
  context.controlPort = await freePort();
  const file = profile === name ? path.join(RESULTS, "profiles", `${row}-${name}.cpuprofile`) : null;
  const running = await launch(await target.start(context), { port: context.port, name, profile: file });
  context.url = running.url;
  try {
    context.state = await target.prepare?.(context);
  } catch (error) {
    await running.stop();
    throw new Error(`${error.message}\n${running.log}`);
  }
  return running;
}

/** What the load generator, another process, needs of a context. */
export function tellable({ url, port, controlPort, upstream, upstreamPort, state }) {
  return { url, port, controlPort, upstream, upstreamPort, state };
}
