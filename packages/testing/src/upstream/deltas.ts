import { type Answer, deltaText } from "./format.ts";
import type { Output } from "./output.ts";
import type { Deltas } from "./script.ts";
import type { Wheel } from "./wheel.ts";

const mark = "<delta>";

interface Playing {
  output: Output;
  answer: Answer;
  wheel: Wheel;
  deltas: Deltas;
}

/** The first delta opens what has to be open; the others are the same bytes around another text. */
export function playDeltas({ output, answer, wheel, deltas }: Playing): Promise<void> {
  const { perSecond, stamp } = deltas;
  const isEnough = () => sent >= (deltas.tokens ?? Number.POSITIVE_INFINITY);
  const fixed = stamp ? null : deltaText(deltas);
  let send = (text: string) => {
    for (const event of answer.tell({ text })) void output.write(event);
    send = output.template(answer.tell({ text: mark }).join("").split(mark), fixed);
  };
  let sent = 0;
  return new Promise((resolve) => {
    if (isEnough()) return resolve();
    wheel.start(perSecond, () => {
      if (!output.isOpen()) {
        resolve();
        return "over";
      }
      // The client reads too slowly: a vendor would wait for it too.
      if (output.isFull()) return "later";
      send(fixed ?? deltaText(deltas));
      sent += 1;
      if (!isEnough()) return "again";
      resolve();
      return "over";
    });
  });
}
