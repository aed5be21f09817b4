import type { LimitState } from "@parley/core";
import type { CookieJar, Transport } from "../context.ts";
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

/** The jar is made for the few who look into it. */
export class HttpTransport implements Transport {
  readonly #exchange: Exchange;
  #cookies: CookieJar | undefined;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  readonly name = "http";

  get traceparent(): string | null {
    return this.#exchange.headers.get("traceparent");
  }

  get requestId(): string {
    return this.#exchange.requestId;
  }

  get cookies(): CookieJar {
    this.#cookies ??= createCookieJar(this.#exchange);
    return this.#cookies;
  }

  noteLimit(state: LimitState): void {
    this.#exchange.limit = state;
  }

  noteCall(): void {
    this.#exchange.isTold = true;
  }
}
