import { joinTabs } from "./join-tabs.ts";

/** What a subscription tells: an event, or how it stands with the connection. */
interface Told {
  type?: string;
  id?: string;
  data?: unknown;
}

interface Observer<Result, Failure> {
  next(told: { result: Result }): void;
  error(error: Failure): void;
  complete(): void;
}

/** From a place, or from now on. */
type Follow<Result, Failure> = (lastEventId: string | undefined) => {
  subscribe(observer: Observer<Result, Failure>): { unsubscribe(): void };
};

interface Word<Result> {
  result: Result;
  /** Where the tab that speaks is. */
  lastEventId: string | undefined;
}

/** Live events reach all tabs that know this name over the connection of one of them. Returns how to leave. */
export function followTogether<Result extends Told, Failure>(
  name: string,
  follow: Follow<Result, Failure>,
  { next, error, complete }: Observer<Result, Failure>,
): () => void {
  let lastEventId: string | undefined;
  /** The event that `lastEventId` is of: those that pass come after it, with the same id. */
  let lastKept: string | undefined;
  let standing: Result | undefined;

  function take(result: Result) {
    if (result.type === "data") {
      // One that slept may have had it over its own connection.
      const copy = JSON.stringify(result.data);
      if (Number(result.id) < Number(lastEventId) || (result.id === lastEventId && copy === lastKept)) return;
      if (result.id !== lastEventId) lastKept = copy;
      lastEventId = result.id;
    } else standing = result;
    next({ result });
  }

  return joinTabs<Word<Result>>(name, {
    speak(say) {
      let isSpeaking = true;
      const whileSpeaking =
        <Given extends unknown[]>(tell: (...given: Given) => void) =>
        (...given: Given) => {
          if (isSpeaking) tell(...given);
        };
      const under = follow(lastEventId).subscribe({
        next: whileSpeaking(({ result: told }) => {
          // An error and its cause do not travel.
          const result = told.type === "state" ? { ...told, error: null } : told;
          take(result);
          // What ends here goes on elsewhere.
          if (result.type !== "stopped") say({ result, lastEventId });
        }),
        error: whileSpeaking(error),
        complete: whileSpeaking(complete),
      });
      return () => {
        isSpeaking = false;
        under.unsubscribe();
      };
    },
    standing: () => standing && { result: standing, lastEventId },
    hear(word, isAnswer) {
      if (!isAnswer || word.result.type !== standing?.type) take(word.result);
      lastEventId ??= word.lastEventId;
    },
  });
}
