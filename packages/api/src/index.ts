export { type Caller, type Context, createContext } from "./context.ts";
export { createApp } from "./http/app.ts";
export { checkOrigin, readToken } from "./http/credentials.ts";
export type { HeaderReader } from "./http/exchange.ts";
export { createGate, type Gate } from "./http/gate.ts";
export type { ApiOptions, GateOptions, Health, HealthCheck } from "./http/options.ts";
export { type Router, router } from "./router.ts";
export { createSocketHub, type SocketHub } from "./socket/hub.ts";
export type { Socket, SocketConnection } from "./socket/socket.ts";
