import { AsyncLocalStorage } from "node:async_hooks";
import { createApp, createContext, HttpTransport, router, subscriptionsOf } from "@parley/api";
import type { AccessChange, Actor } from "@parley/core";
import type { ExecutionContext } from "@parley/platform/workers/runtime";
import { version } from "../../version.ts";
import { type Bindings, metersOf } from "../bindings.ts";
import { readerDuties } from "../objects/duties.ts";
import { followAccess } from "./access-feed.ts";
import { type EdgeNode, openEdgeNode } from "./edge-node.ts";
import { peerOf, type Setup } from "./setup.ts";
import { takenBody } from "./taken-body.ts";

interface Given {
  bindings: Bindings;
  setup: Setup;
  context: ExecutionContext;
}

/** One request: what it needs is opened when it asks for it, and closed after its answer, or with its stream. */
class Call {
  readonly #bindings: Bindings;
  readonly #setup: Setup;
  readonly #context: ExecutionContext;
  #node: EdgeNode | undefined;
  #isStreamed = false;
  readonly #over = new AbortController();
  readonly #lost = new AbortController();
  readonly #heard: AccessChange[] = [];
  #listening: Promise<unknown> | undefined;
  #apply: (change: AccessChange) => void = (change) => this.#heard.push(change);

  constructor({ bindings, setup, context }: Given) {
    this.#bindings = bindings;
    this.#setup = setup;
    this.#context = context;
  }

  get node(): EdgeNode {
    this.#node ??= openEdgeNode(this.#bindings, this.#setup, { hold: (work) => this.#context.waitUntil(work) });
    return this.#node;
  }

  /** Gives back a signal that also ends when the caller's session or rights do. */
  streamed(actor: Actor | null, signal: AbortSignal): AbortSignal {
    const node = this.#node;
    if (!node) return signal;
    this.#isStreamed = true;
    node.background.begin(readerDuties);
    // Said while the request is there: what is asked for after its end is not waited for.
    const ended = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve());
      if (signal.aborted) resolve();
    });
    this.#context.waitUntil(ended.then(() => node.close()).then(() => this.#handOn()));
    void ended.then(() => this.#over.abort());
    if (!actor) return signal;
    const { access, log } = node.services;
    const until = access.until(actor, AbortSignal.any([signal, this.#lost.signal]));
    const apply = (change: AccessChange) => {
      if (change.userId === actor.userId) access.apply(change);
    };
    // What was heard while the credentials were looked at may be newer than they are.
    for (const change of this.#heard.splice(0)) apply(change);
    this.#apply = apply;
    this.listen().catch((error: unknown) => {
      log.warn({ err: error }, "a stream that cannot hear of changes of rights ends");
      this.#lost.abort();
    });
    return until;
  }

  /** Before the credentials are looked at: a stream has to hear of whatever changes from then on. */
  listen(): Promise<unknown> {
    this.#listening ??= followAccess(this.#bindings, {
      apply: (change) => this.#apply(change),
      lost: () => this.#lost.abort(),
      signal: this.#over.signal,
    });
    return this.#listening;
  }

  metricsPage(): Promise<string> {
    return metersOf(this.#bindings).page();
  }

  answered(response: Response): Response {
    if (!this.#isStreamed || !response.body) {
      this.over();
      return response;
    }
    this.#handOn();
    return new Response(takenBody(response.body), response);
  }

  over(): void {
    this.#handOn();
    this.#over.abort();
    if (this.#node) this.#context.waitUntil(this.#node.close());
  }

  #handOn(): void {
    this.#setup.handingOn.soon(this.#bindings, (work) => this.#context.waitUntil(work));
  }
}

/** Where what is asked for goes on until somebody ends it. */
const streams = new Set(subscriptionsOf(router).map((name) => `/trpc/${name}`));
const calls = new AsyncLocalStorage<Call>();

function current(): Call {
  const call = calls.getStore();
  if (!call) throw new Error("This is no part of a request");
  return call;
}

/** What the app asks of the domain goes to the request that it is called for. */
function createEdgeApp({ config, log, gate, gateOptions, memory }: Setup) {
  return createApp(
    {
      ...gateOptions,
      router,
      async createContext(caller, exchange) {
        const call = current();
        const { services, ready } = call.node;
        if (caller.token !== null && streams.has(exchange.path)) await call.listen();
        const [context] = await Promise.all([createContext(services, caller, new HttpTransport(exchange)), ready()]);
        return context;
      },
      streamSignal({ actor }, signal) {
        return current().streamed(actor, signal);
      },
      remoteAddress: (peer) => String(peer),
      log,
      version,
      metricsToken: config.METRICS_TOKEN,
      metricsPage: () => current().metricsPage(),
      onAnswer: (status) => memory.meters.requests.add(1, String(status)),
      compresses: false,
      checks: {
        health: (...given) => current().node.services.checks.health(...given),
        ready: (...given) => current().node.services.checks.ready(...given),
      },
      startedAt: performance.now(),
    },
    gate,
  );
}

export type Answering = (request: Request, context: ExecutionContext) => Promise<Response>;

export function createAnswering(bindings: Bindings, setup: Setup): Answering {
  const app = createEdgeApp(setup);
  return async (request, context) => {
    const call = new Call({ bindings, setup, context });
    try {
      return call.answered(await calls.run(call, () => app.fetch(request, peerOf(request))));
    } catch (cause) {
      call.over();
      throw cause;
    }
  };
}
