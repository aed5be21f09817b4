import { admitSocket, refusalOf, type SocketOpening } from "@parley/api";
import type { ExecutionContext } from "@parley/platform/workers/runtime";
import { type AwakeSocket, type Beginning, openAwakeSocket, type SocketGiven } from "./awake-socket.ts";
import type { Bindings } from "./bindings.ts";
import { type Answering, createAnswering } from "./calls.ts";
import type { EdgeNode, EdgeRuntime } from "./edge-node.ts";
import { openObjectNode } from "./object-node.ts";
import { peerOf } from "./peer.ts";
import { readSetup, type Setup } from "./setup.ts";

/** What an isolate is set up with, and what can be opened of it. */
export interface Domain extends Setup {
  answer(request: Request, context: ExecutionContext): Promise<Response>;
  /** Throws for a socket that does not pass the gate. */
  admit(request: Request): SocketOpening;
  /** An answer for a socket that does not pass the gate, which gets no object. */
  refusal(request: Request): Response | null;
  openNode(runtime: EdgeRuntime): EdgeNode;
  openSocket(given: SocketGiven, beginning: Beginning): Promise<AwakeSocket>;
}

export async function openDomain(bindings: Bindings): Promise<Domain> {
  const setup = await readSetup(bindings);
  let answering: Answering | undefined;

  const admit = (request: Request) => admitSocket(setup.gate, request, peerOf(request));

  return {
    ...setup,
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
    answer(request, context) {
      // Objects answer no requests.
      answering ??= createAnswering(bindings, setup);
      return answering(request, context);
    },
    openNode: (runtime) => openObjectNode(bindings, setup, runtime),
    openSocket: (given, beginning) => openAwakeSocket({ ...given, bindings, setup }, beginning),
  };
}
