/** The runtime's own module, and its globals that the DOM has not; what they are given and give back is in `runtime/types.ts`. */
declare module "cloudflare:workers" {
  import type { ObjectState, ServerSocket } from "./runtime/types.ts";

  export abstract class DurableObject<Bindings = unknown> {
    protected readonly ctx: ObjectState;
    protected readonly env: Bindings;
    constructor(ctx: ObjectState, env: Bindings);
    alarm?(): Promise<void>;
    webSocketMessage?(socket: ServerSocket, message: string | ArrayBuffer): Promise<void>;
    webSocketClose?(socket: ServerSocket, code: number, reason: string): Promise<void>;
    webSocketError?(socket: ServerSocket): Promise<void>;
  }
}

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare const WebSocketPair: new () => { 0: WebSocket; 1: import("./runtime/types.ts").ServerSocket };
declare const WebSocketRequestResponsePair: new (request: string, response: string) => object;
declare const IdentityTransformStream: new () => TransformStream<Uint8Array, Uint8Array>;
