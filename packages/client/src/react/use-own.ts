import { useState } from "react";
import { useRoom, useStore } from "./provider.ts";

type Change<State> = (changing: (before: State) => State) => void;

/** State of whoever is signed in: the next person begins with the initial one, and what ends late changes nothing of it. */
export function useOwn<State>(initial: State): { own: State; change: Change<State>; isStillMine(): boolean } {
  const { eras } = useRoom().cache;
  const era = useStore(eras);
  const [kept, keep] = useState({ era, state: initial });
  const isStillMine = () => eras.get() === era;
  return {
    own: kept.era === era ? kept.state : initial,
    change: (changing) =>
      isStillMine() && keep((before) => ({ era, state: changing(before.era === era ? before.state : initial) })),
    isStillMine,
  };
}
