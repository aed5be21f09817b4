/** What this package uses of the runtime's own module; the rest of the runtime is typed in `runtime.ts`. */
declare module "cloudflare:workers" {
  import type { ObjectState, ServerSocket } from "./runtime/runtime.ts";

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
