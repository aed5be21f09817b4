import type { Ports } from "../ports.ts";

export type Streams = ReturnType<typeof createStreams>;

/** Which sessions listen on this node, and which have just left off. */
export function createStreams({ clock }: Pick<Ports, "clock">) {
  /** How many streams each has open. */
  const listening = new Map<string, number>();
  /** When the last stream of each ended, in milliseconds; the first to leave comes first. */
  const silent = new Map<string, number>();
  const listeners = new Set<(sessionId: string) => void>();

  return {
    /** Told when a session begins to listen here. */
    onListening(listener: (sessionId: string) => void) {
      listeners.add(listener);
    },
    sessions: () => Array.from(listening.keys()),
    /** What is given back ends the stream, once. */
    begin(sessionId: string): () => void {
      const streams = listening.get(sessionId) ?? 0;
      listening.set(sessionId, streams + 1);
      silent.delete(sessionId);
      if (streams === 0) for (const listener of listeners) listener(sessionId);
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        const left = (listening.get(sessionId) ?? 1) - 1;
        if (left > 0) {
          listening.set(sessionId, left);
          return;
        }
        listening.delete(sessionId);
        silent.set(sessionId, clock.now().getTime());
      };
    },
    /** Sessions that have been silent for so long: each is handed out once. */
    takeSilent(graceMs: number): { sessionId: string; silentMs: number }[] {
      const now = clock.now().getTime();
      const taken: { sessionId: string; silentMs: number }[] = [];
      for (const [sessionId, since] of silent) {
        const silentMs = now - since;
        if (silentMs < graceMs) break;
        silent.delete(sessionId);
        taken.push({ sessionId, silentMs });
      }
      return taken;
    },
  };
}
