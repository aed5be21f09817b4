import type { Transport } from "@parley/api";

/** Each call of a socket gets a request id of its own. */
export const socketTransport: Transport = {
  requestId: "",
  name: "websocket",
  traceparent: null,
  cookies: null,
  noteLimit() {},
  noteCall() {},
};
