/** What repeats, by its name: whoever is not on one of these lists is done by the keeper, once for all. */
export const writerDuties = ["checkpoint"] as const;

/** Whoever has something open hears of them from an object that reads them for many, and listens for those who sleep. */
export const accessDuties = ["read access changes", "renew presences", "end presences of silent sessions"] as const;

/** For as long as somebody listens: over a socket, or over a stream. */
export const readerDuties = ["look for ended runs", "renew presences", "end presences of silent sessions", "end typing"] as const;

export const notTheKeepers: readonly string[] = [...writerDuties, ...accessDuties, ...readerDuties];
