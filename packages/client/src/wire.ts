import type { Identity } from "./auth/identity.ts";
import type { ParleyOptions } from "./options.ts";

/** Where requests go, and what they carry. */
export interface Wire {
  url: string;
  fetch: typeof globalThis.fetch;
  /** Asked for every request. */
  headers(): Promise<Record<string, string>>;
}

/** A page of another site cannot make a browser send it along with the cookies. */
const withCookies = { "x-parley": "1" };

export function createWire(options: ParleyOptions, { usesCookies, token }: Pick<Identity, "usesCookies" | "token">): Wire {
  const { origin, pathname, protocol } = new URL(options.url);
  if (!/^https?:$/.test(protocol)) throw new Error("The url begins with http:// or https://");
  const { fetch = (input, init) => globalThis.fetch(input, init) } = options;
  return {
    url: `${origin}${pathname.replace(/\/+$/, "")}/trpc`,
    fetch: usesCookies ? (input, init) => fetch(input, { ...init, credentials: "include" }) : fetch,
    async headers(): Promise<Record<string, string>> {
      if (usesCookies) return withCookies;
      const given = await token();
      if (given && /[^!-~]/.test(given)) throw new Error("This is no token");
      return given === null ? {} : { authorization: `Bearer ${given}` };
    },
  };
}
