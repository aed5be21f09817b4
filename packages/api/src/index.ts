export {
  type Caller,
  type Context,
  createContext,
  type KeptCaller,
  keptCaller,
  restoreContext,
  type Transport,
} from "./context.ts";
export { errorShape } from "./errors.ts";
export { createApp } from "./http/app.ts";
export type { HeaderReader } from "./http/exchange.ts";
export { createGate, type Gate } from "./http/gate.ts";
export type { ApiOptions, GateOptions } from "./http/options.ts";
export { HttpTransport } from "./http/transport.ts";
export { subscriptionsOf } from "./http/trpc-plan.ts";
export { type Router, router } from "./router.ts";
export { admitSocket, refusalOf } from "./socket/admission.ts";
export { createSocketHub, type SocketHub, type SocketOpening } from "./socket/hub.ts";
export type { Resting, RestingSubscription, Socket, SocketConnection } from "./socket/socket.ts";
