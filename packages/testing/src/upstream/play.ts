import type { ServerResponse } from "node:http";
import { setImmediate, setTimeout } from "node:timers/promises";
import { type Answer, type Asked, deltaText, type Format, retryAfterOf } from "./format.ts";
import { createOutput, type Output } from "./output.ts";
import type { Deltas, Script, Step } from "./script.ts";
import type { Wheel } from "./wheel.ts";

export interface Stage {
  response: ServerResponse;
  wheel: Wheel;
  format: Format;
  asked: Asked;
  /** Aborted when the connection is gone. */
  gone: AbortSignal;
  /** Says that what follows is the upstream's own doing. */
  ending: () => void;
}

/** Plays a script to the end, or until the client is gone. */
export async function play(stage: Stage, script: Script, isStreamed: boolean): Promise<void> {
  try {
    if (script.refusal || !isStreamed) await playWhole(stage, script);
    else await playStream(stage, script);
  } catch (error) {
    if (!stage.gone.aborted) throw error;
  }
}

async function playStream(stage: Stage, script: Script): Promise<void> {
  const { response, format, asked, wheel } = stage;
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
    if (stage.gone.aborted) return;
    if ("raw" in step) {
      isRaw = true;
      await output.writeRaw(step.raw);
    } else if ("error" in step) {
      await output.write(answer.error(step.error));
      return end(stage, output);
    } else if ("silence" in step) return end(stage, output);
    else if ("stream" in step) {
      await open();
      await playDeltas({ output, answer, wheel, deltas: step.stream });
    } else if ("waitMs" in step || "stall" in step || "cut" in step) {
      await output.flush();
      await pause(stage, step);
    } else {
      await open();
      for (const piece of answer.tell(step)) await output.write(piece);
    }
  }
  if (stage.gone.aborted) return;
  if (!isRaw) await open();
  if (isOpen) await output.write(answer.close());
  await end(stage, output);
}

async function end(stage: Stage, output: Output): Promise<void> {
  await output.flush();
  stage.response.end();
}

const mark = "<delta>";

/** The first delta opens what has to be open; the others are the same bytes around another text. */
function playDeltas({ output, answer, wheel, deltas }: { output: Output; answer: Answer; wheel: Wheel; deltas: Deltas }) {
  const { perSecond, tokens = Number.POSITIVE_INFINITY, stamp } = deltas;
  let sent = 0;
  let send: (text: string) => void = () => {};
  const fixed = stamp ? null : deltaText(deltas);
  return new Promise<void>((resolve) => {
    if (tokens <= 0) return resolve();
    wheel.start(perSecond, () => {
      if (!output.isOpen()) {
        resolve();
        return false;
      }
      // The client reads too slowly: a vendor would wait for it too.
      if (output.isFull()) return true;
      const text = fixed ?? deltaText(deltas);
      if (sent === 0) {
        output.queue(answer.tell({ text }).join(""));
        send = output.template(answer.tell({ text: mark }).join("").split(mark), fixed);
      } else send(text);
      sent += 1;
      if (sent >= tokens) resolve();
      return sent < tokens;
    });
  });
}

async function pause(
  { response, gone, ending }: Stage,
  step: Extract<Step, { waitMs: number } | { stall: true } | { cut: true }>,
) {
  if ("waitMs" in step) await setTimeout(step.waitMs, undefined, { signal: gone });
  else if ("stall" in step) await new Promise((resolve) => gone.addEventListener("abort", resolve, { once: true }));
  else {
    // What was said before has to leave this process first.
    while (response.socket?.writableLength) await setImmediate();
    ending();
    response.socket?.destroy();
  }
}

/** A refusal, or an answer in one piece. */
async function playWhole(stage: Stage, script: Script): Promise<void> {
  const { response, format, asked } = stage;
  for (const step of script.steps ?? []) {
    if ("waitMs" in step || "stall" in step || "cut" in step) await pause(stage, step);
    if (stage.gone.aborted) return;
  }
  const { refusal } = script;
  const raw = script.steps?.flatMap((step) => ("raw" in step ? [step.raw] : []));
  const failed = script.steps?.flatMap((step) => ("error" in step ? [step.error] : []))[0];
  const refused = refusal ?? (failed && { status: 500, ...failed });
  const seconds = refused && retryAfterOf(refused);
  response.writeHead(refused?.status ?? 200, {
    "content-type": "application/json; charset=utf-8",
    ...(seconds !== undefined && format.newline === "\n" && { "retry-after": String(seconds) }),
    ...script.headers,
    ...refusal?.headers,
  });
  const body = refused ? format.refusal(refused, asked) : format.whole(script, asked);
  response.end(refusal?.body ?? (raw?.length && !refusal ? raw.join("") : JSON.stringify(body)));
}
