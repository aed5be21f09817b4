/** One tab of an origin at a time, where the browser has locks. Elsewhere the server's grace for parallel refreshes has to do. */
export async function takeTurns<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  return globalThis.navigator?.locks ? await navigator.locks.request(name, work) : work();
}
