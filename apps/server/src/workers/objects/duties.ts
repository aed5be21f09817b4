// What repeats, by its name: whatever is not on one of these lists is done by the keeper, once for all.
export const handOn = "hand on what was counted";

/** The keeper tells it what was counted everywhere, and then has it told further. */
export const takeReadings = "take readings";

export const writerDuties = ["checkpoint", handOn] as const;

/** Whoever has something open hears of them from an object that reads them for many, and listens for those who sleep. */
export const accessDuties = [
  "read access changes",
  "renew presences",
  "end presences of silent sessions",
  "end expired keys",
  handOn,
] as const;

/** For as long as somebody listens: over a socket, or over a stream. */
export const readerDuties = [
  "look for ended runs",
  "renew presences",
  "end presences of silent sessions",
  "end typing",
  handOn,
] as const;

export const notTheKeepers: readonly string[] = [...writerDuties, ...accessDuties, ...readerDuties, takeReadings];
