import type { ServerResponse } from "node:http";
import { setImmediate, setTimeout } from "node:timers/promises";
import { playDeltas } from "./deltas.ts";
import type { Asked, Format } from "./format.ts";
import { createOutput, type Output } from "./output.ts";
import type { Script, Step } from "./script.ts";
import type { Wheel } from "./wheel.ts";

export interface Stage {
  response: ServerResponse;
  wheel: Wheel;
  format: Format;
  asked: Asked;
  /** What is said at once; without it, the answer is streamed. */
  whole?: () => unknown;
  /** Aborted when the connection is gone. */
  gone: AbortSignal;
  /** What ends the connection now is the upstream's own doing. */
  ending: () => void;
}

type Pause = Extract<Step, { waitMs: number } | { stall: true } | { cut: true }>;

/** Plays a script to the end, or until the client is gone. */
export async function play(stage: Stage, script: Script): Promise<void> {
  try {
    if (script.refusal || stage.whole) await playWhole(stage, script);
    else await playStream(stage, script);
  } catch (error) {
    if (!stage.gone.aborted) throw error;
  }
}

async function playStream(stage: Stage, script: Script): Promise<void> {
  const { response, format, asked, wheel, gone } = stage;
  const headers = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", ...script.headers };
  response.writeHead(200, headers);
  response.socket?.setNoDelay(true);
  if (script.transport?.headersAtOnce) response.flushHeaders();
  const output = createOutput(response, { newline: format.newline, ...script.transport });
  const answer = format.answer(script, asked);
  let isOpen = false;
  let isRaw = false;
  const open = async () => {
    if (!isOpen) await output.write(answer.open());
    isOpen = true;
  };

  for (const step of script.steps ?? []) {
    if (gone.aborted) return;
    if ("silence" in step) return end(stage, output);
    if ("error" in step) {
      await output.write(answer.error(step.error));
      return end(stage, output);
    }
    if (isPause(step)) {
      await output.flush();
      await pause(stage, step);
    } else if ("raw" in step) {
      isRaw = true;
      await output.writeRaw(step.raw);
    } else {
      await open();
      if ("stream" in step) await playDeltas({ output, answer, wheel, deltas: step.stream });
      else for (const event of answer.tell(step)) await output.write(event);
    }
  }
  if (gone.aborted) return;
  if (!isRaw) await open();
  if (isOpen) await output.write(answer.close());
  await end(stage, output);
}

async function end({ response }: Stage, output: Output): Promise<void> {
  await output.flush();
  response.end();
}

function isPause(step: Step): step is Pause {
  return "waitMs" in step || "stall" in step || "cut" in step;
}

async function pause({ response, gone, ending }: Stage, step: Pause): Promise<void> {
  if ("waitMs" in step) await setTimeout(step.waitMs, undefined, { signal: gone });
  else if ("stall" in step) await new Promise((resolve) => gone.addEventListener("abort", resolve, { once: true }));
  else {
    // What was said before has to leave this process first.
    while (response.socket?.writableLength && !gone.aborted) await setImmediate();
    ending();
    response.socket?.destroy();
  }
}

/** A refusal, or what is said in one piece. An error in a script is a refusal here. */
async function playWhole({ whole, ...stage }: Stage, script: Script): Promise<void> {
  const { response, format, asked, gone } = stage;
  const steps = script.steps ?? [];
  for (const step of steps.filter(isPause)) {
    if (gone.aborted) return;
    await pause(stage, step);
  }
  if (gone.aborted) return;
  const failed = steps.find((step) => "error" in step);
  const refusal = script.refusal ?? (failed && { status: 500, ...failed.error });
  const refused = refusal && format.refusal(refusal, asked);
  const raw = steps.flatMap((step) => ("raw" in step ? [step.raw] : []));
  response.writeHead(refusal?.status ?? 200, {
    "content-type": "application/json; charset=utf-8",
    ...refused?.headers,
    ...script.headers,
    ...refusal?.headers,
  });
  if (refusal) response.end(refusal.body ?? JSON.stringify(refused?.body));
  else response.end(raw.length > 0 ? raw.join("") : JSON.stringify(whole?.()));
}
