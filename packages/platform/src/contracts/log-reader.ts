import type { LogEntry, LogSink } from "@parley/core/ports";

/** A reader of a log who remembers everything; without room it asks for a pause. */
export function logReader<Event = string>({ room = () => true }: { room?: () => boolean } = {}) {
  const entries: LogEntry<Event>[] = [];
  const more: boolean[] = [];
  const ends: string[] = [];
  const sink: LogSink<Event> = {
    entry(entry, isMore) {
      entries.push(entry);
      more.push(isMore);
      return room();
    },
    end: (reason) => ends.push(reason),
  };
  return { sink, entries, more, ends, events: () => entries.map(({ event }) => event) };
}
