/** JSON knows no dates: where they were is written beside the event, so that what people wrote comes back as it was. */
export function encodeEvent(event: unknown): string {
  const dates: string[][] = [];
  findDates(event, [], dates);
  return JSON.stringify(dates.length === 0 ? [event] : [event, dates]);
}

export function decodeEvent(text: string): unknown {
  const written: [unknown, string[][]?] = JSON.parse(text);
  for (const path of written[1] ?? []) reviveDate(written, ["0", ...path]);
  return written[0];
}

function findDates(value: unknown, path: string[], found: string[][]) {
  if (typeof value !== "object" || value === null) return;
  if (value instanceof Date) {
    found.push([...path]);
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner !== "object" || inner === null) continue;
    path.push(key);
    findDates(inner, path, found);
    path.pop();
  }
}

function reviveDate(root: unknown, path: string[]) {
  const last = path.at(-1) ?? "";
  let holder: unknown = root;
  for (const key of path.slice(0, -1)) holder = ownValue(holder, key);
  const text = ownValue(holder, last);
  if (typeof holder !== "object" || holder === null || (typeof text !== "string" && text !== null)) return;
  const value = new Date(text ?? Number.NaN);
  Object.defineProperty(holder, last, { value, enumerable: true, writable: true, configurable: true });
}

/** Never what is inherited: a key may be named `__proto__`. */
function ownValue(holder: unknown, key: string): unknown {
  return typeof holder === "object" && holder !== null ? Object.getOwnPropertyDescriptor(holder, key)?.value : undefined;
}
