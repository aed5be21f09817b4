/** An entry as a store keeps it. The id of one that the store numbered is `writer:count`, and counts up: it tells a repetition. */
export interface StoredEntry {
  seq: number;
  id: string;
  event: string;
}

/** Entries of one topic that the store numbers. */
export interface NumberedByStore {
  topic: string;
  entries: { id: string; event: string }[];
  /** Something was lost before them: a number is left out, which every reader sees. */
  hasHole: boolean;
  /** An earlier try was not answered: what is there already is not kept again. */
  isRepeated: boolean;
}

/** Entries that their writer has numbered. */
export interface NumberedByWriter {
  topic: string;
  /** The last one that the store should have; null adds whatever it has not. */
  after: number | null;
  entries: StoredEntry[];
}

export interface Batch {
  byStore: NumberedByStore[];
  byWriter: NumberedByWriter[];
  /** To all nodes, this one too, once the entries can be read. */
  message: string;
}

export interface Written {
  /** The last number of each topic that was numbered. */
  heads: Map<string, number>;
  /** The last number of each topic that its writer numbers, and null where nothing is: not always the expected one. */
  stands: Map<string, number | null>;
}

export interface Position {
  topic: string;
  after: number;
}

export interface Stretch {
  /** The last number given in a topic that the store numbers; null when it knows nothing of the topic. */
  head: number | null;
  entries: StoredEntry[];
  /** There may be more. */
  isCut: boolean;
}

/** What several nodes share. Every call may fail: the log above it goes on and tries again. */
export interface LogStore {
  write(batch: Batch): Promise<Written>;
  /** What follows each position, in order and at most `readLimit` entries and about `readLength` characters of each. */
  read(positions: Position[]): Promise<Stretch[]>;
  /** Begins a topic that is not there, with a number that was never given before. */
  head(topic: string): Promise<number>;
  /** `onReady` is called whenever messages begin to come, also again. */
  listen(listener: { onMessage: (message: string) => void; onReady: () => void }): void;
  /** Drops these topics, and what is old. */
  sweep(topics: string[]): Promise<void>;
  close(): Promise<void>;
}

/** No number that a store gives: whoever follows from here is told of a gap, once the store can say where its topic is. */
export const unknownPosition = Number.MAX_SAFE_INTEGER - 1;
export const readLimit = 1_000;
/** Large entries are read in pieces that a store hands over in a moment, also for many topics at once. */
export const readLength = 128 * 1_024;
/** How many entries of a topic that it numbers a store keeps at least. */
export const keptEntries = 256;
/** A device that comes back within an hour hears what it missed. */
export const keptMs = 3_600_000;
/** A run is wanted for minutes, and whoever writes it gives it again where it is gone. */
export const keptRunMs = keptMs / 4;
/** A number is not given twice for as long as a device may come back with it. */
export const keptHeadsMs = 7 * 24 * 3_600_000;
/** Only where something was written since the last sweep can there be too much; a few sweeps may fail. */
export const trimmedMs = 5 * 60_000;
