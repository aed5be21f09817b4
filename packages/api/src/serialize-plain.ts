/** Deeper than what adapters let a tool be called with. */
const maxDepth = 80;

export interface Serialized {
  json: unknown;
  meta?: { values: Record<string, ["Date"]> | ["Date"]; v: 1 };
}

/**
 * superjson's form of JSON with dates in it, which is all that we ever answer, at a fifth of superjson's cost: nothing is
 * copied, because `JSON.stringify` writes dates by itself. Undefined for anything else. Keys without a value are left out.
 */
export function serializePlain(value: unknown): Serialized | undefined {
  if (value instanceof Date) return { json: value, meta: { values: ["Date"], v: 1 } };
  const dates: string[] = [];
  if (!isPlain(value, "", dates, 0)) return undefined;
  if (dates.length === 0) return { json: value };
  return { json: value, meta: { values: Object.fromEntries(dates.map((path) => [path, ["Date"]])), v: 1 } };
}

/** Notes the paths of dates on its way. */
function isPlain(value: unknown, path: string, dates: string[], depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      return value === null || isPlainObject(value, path, dates, depth);
    default:
      return false;
  }
}

function isPlainObject(value: object, path: string, dates: string[], depth: number): boolean {
  if (depth > maxDepth) return false;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      if (!isPlain(value[index], join(path, String(index)), dates, depth + 1)) return false;
    }
    return true;
  }
  if (value instanceof Date) {
    dates.push(path);
    return !Number.isNaN(value.getTime());
  }
  if (!isRecord(value)) return false;
  for (const key of Object.keys(value)) {
    const child = value[key];
    if (typeof child === "object" && child !== null) {
      const name = key.includes(".") || key.includes("\\") ? key.replace(/[\\.]/g, "\\$&") : key;
      if (!isPlainObject(child, join(path, name), dates, depth + 1)) return false;
    } else if (child !== undefined && !isPlain(child, "", dates, depth)) return false;
  }
  return true;
}

function isRecord(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
