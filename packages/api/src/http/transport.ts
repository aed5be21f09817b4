import type { Context, CookieJar } from "../context.ts";
import { type CookieName, cookieName, readTokenCookie } from "./credentials.ts";
import type { Exchange } from "./exchange.ts";

/** Scripts cannot read these cookies, and other sites cannot make the browser send them. */
function createCookieJar(exchange: Exchange): CookieJar {
  const { secure, setCookies } = exchange;
  const set = (name: CookieName, value: string, seconds: number) => {
    const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure ? "; Secure" : ""}`;
    setCookies.push(`${cookieName(name, secure)}=${value}; ${attributes}`);
  };
  return {
    get refreshToken() {
      return readTokenCookie(exchange, "refresh", "header");
    },
    keep({ accessToken, refreshToken, expiresIn }, refreshExpiresIn) {
      set("access", accessToken, expiresIn);
      set("refresh", refreshToken, refreshExpiresIn);
    },
    clear() {
      set("access", "", 0);
      set("refresh", "", 0);
    },
  };
}

/** What a context gets of an HTTP request besides its caller. */
export function transportOf(exchange: Exchange): Pick<Context, "requestId" | "cookies" | "noteLimit"> {
  return {
    requestId: exchange.requestId,
    cookies: createCookieJar(exchange),
    noteLimit(state) {
      exchange.limit = state;
    },
  };
}
