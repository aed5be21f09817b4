import { admitSocket, refusalOf, type SocketOpening } from "@parley/api";
import type { Bindings } from "../bindings.ts";
import { type AwakeSocket, type Beginning, openAwakeSocket, type SocketParts } from "./awake-socket.ts";
import { type Answering, createAnswering } from "./calls.ts";
import { type EdgeNode, type EdgeRuntime, openObjectNode } from "./edge-node.ts";
import { peerOf, readSetup, type Setup } from "./setup.ts";

export { unavailable } from "./unavailable.ts";

/** What can be asked of an isolate. */
export interface Isolate {
  setup: Setup;
  answer: Answering;
  /** Throws for a socket that does not pass the gate. */
  admit(request: Request): SocketOpening;
  /** An answer for a socket that does not pass the gate, which gets no object. */
  refusal(request: Request): Response | null;
  openNode(runtime: EdgeRuntime): EdgeNode;
  openSocket(parts: SocketParts, beginning: Beginning): Promise<AwakeSocket>;
}

export async function openIsolate(bindings: Bindings): Promise<Isolate> {
  const setup = await readSetup(bindings);
  let answering: Answering | undefined;

  const admit = (request: Request) => admitSocket(setup.gate, request, peerOf(request));

  return {
    setup,
    answer(request, context) {
      // Objects answer no requests.
      answering ??= createAnswering(bindings, setup);
      return answering(request, context);
    },
    admit,
    refusal(request) {
      try {
        admit(request);
        return null;
      } catch (error) {
        const refusal = refusalOf(error);
        setup.log.info({ address: peerOf(request), ...refusal }, "a socket was refused");
        return new Response(null, { status: refusal.status });
      }
    },
    openNode: (runtime) => openObjectNode(bindings, setup, runtime),
    openSocket: (parts, beginning) => openAwakeSocket({ ...parts, bindings, setup }, beginning),
  };
}
