import type { Log } from "@parley/core/ports";

/** What nodes tell each other. Nothing here is kept: who misses it looks by itself. */
export interface NodeMessage {
  from: string;
  number: number;
  /** Topics numbered by the store that have something new. */
  rung: string[];
  /** Where the writer of a topic is with it: what can be read, and whether that is all. */
  written: [topic: string, head: number, isFinished: boolean][];
  /** Topics that somebody follows without being their writer. */
  wanted: string[];
  passing: [topic: string, event: string][];
}

const maxPassing = 1_000;
const maxPassingLength = 1_024 * 1_024;

/** Gathers what is to be said with the next flush. */
export function createNodeMessages(from: string, log: Log) {
  let number = 0;
  let heard = 0;
  let mustGreet = false;
  let wanted = new Set<string>();
  let passing: NodeMessage["passing"] = [];
  let passingLength = 0;

  return {
    want(topic: string) {
      wanted.add(topic);
    },
    pass(topic: string, event: string) {
      if (passing.length >= maxPassing || passingLength + event.length > maxPassingLength) {
        log.debug({ topic }, "a passing event stays on its node: too many are waiting");
        return;
      }
      passing.push([topic, event]);
      passingLength += event.length;
    },
    /** Says something even if there is nothing to say. */
    greet() {
      mustGreet = true;
    },
    isEmpty: () => wanted.size === 0 && passing.length === 0 && !mustGreet,
    /** What passes is said once; what is wanted is asked for again by whoever still wants it. */
    take(rung: string[], written: NodeMessage["written"]): string {
      const message: NodeMessage = { from, number: ++number, rung, written, wanted: Array.from(wanted), passing };
      mustGreet = false;
      wanted = new Set();
      passing = [];
      passingLength = 0;
      return JSON.stringify(message);
    },
    /** Null for one's own, and for what is none. */
    parse(text: string): NodeMessage | null {
      try {
        const message: NodeMessage = JSON.parse(text);
        if (message.from !== from) return message;
        heard = Math.max(heard, message.number);
      } catch {
        log.debug({}, "a message between nodes could not be read");
      }
      return null;
    },
    said: () => number,
    /** The last of one's own that came back. */
    heard: () => heard,
  };
}
