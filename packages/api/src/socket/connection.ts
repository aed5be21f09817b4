import type { SocketEnding } from "@parley/contract/endings";
import { AppError } from "@parley/core";
import { TRPCError } from "@trpc/server";
import type { TRPCClientOutgoingMessage } from "@trpc/server/rpc";
import type { Caller } from "../context.ts";
import { type Call, type Invoke, isAbortError, isAsyncIterable } from "./call.ts";
import { headOf, readConnectionToken, readMessages, type SocketContext } from "./frames.ts";
import type { Host } from "./lane.ts";
import { Outgoing, type OutgoingEnvironment } from "./outgoing.ts";
import type { Resting, RestingSubscription, Socket, SocketConnection } from "./socket.ts";
import { Subscription } from "./subscription.ts";

/** What all connections of a hub share. */
export interface Environment extends OutgoingEnvironment {
  readonly invoke: Invoke;
  readonly sweepsUntil: {
    readonly authenticated: number;
    readonly ping: number;
    readonly answer: number;
    readonly slowAnswer: number;
  };
  /** Sweeps so far, the only notion of time: a process that stood still ends nobody for it. */
  sweeps: number;
  /** Open subscriptions of all connections. */
  subscriptions: number;
  createContext(caller: Caller): Promise<SocketContext>;
  /** What is worth a line when somebody looks closely. */
  note(fields: object, message: string): void;
  requestId(): string;
  closed(connection: Connection): void;
}

const closeReason = new DOMException("The socket was closed", "AbortError");

/** One socket. What only some sockets need is made when they need it: there may be many thousands, mostly idle. */
export class Connection extends Outgoing implements Host, SocketConnection {
  protected readonly environment: Environment;
  /** Until the connection params have come. */
  #caller: Caller | undefined;
  #opening: Promise<void> | undefined;
  #context: SocketContext | undefined;
  #calls: Set<AbortController> | undefined;
  #subscriptions: Map<Call["id"], Subscription> | undefined;
  #leaving: SocketEnding | undefined;
  #heardAt: number;

  constructor(socket: Socket, environment: Environment) {
    super(socket);
    this.environment = environment;
    this.#heardAt = environment.sweeps;
  }

  get invoke(): Invoke {
    return this.environment.invoke;
  }

  get actor(): SocketContext["actor"] {
    return this.#context?.actor ?? null;
  }

  open(caller: Caller, expectsConnectionParams: boolean): void {
    if (expectsConnectionParams) this.#caller = caller;
    else this.#enter(() => this.environment.createContext(caller));
  }

  /** Goes on for another connection, with the same subscriptions. */
  resume(createContext: () => Promise<SocketContext>, subscriptions: readonly RestingSubscription[]): void {
    this.#enter(createContext);
    for (const resting of subscriptions) {
      this.#begin({ ...resting, type: "subscription", input: undefined, context: undefined, isResumed: true });
    }
  }

  resting(): Resting | null {
    const context = this.#context;
    if (!context || this.isClosed || this.#leaving || this.#calls?.size || this.isWaitedFor) return null;
    const subscriptions: RestingSubscription[] = [];
    for (const subscription of this.#subscriptions?.values() ?? []) {
      const resting = subscription.resting();
      if (!resting) return null;
      subscriptions.push(resting);
    }
    return { context, subscriptions };
  }

  /** Closes once the calls under way have their answers: one of them may be what ended the session. */
  dismiss(reason: SocketEnding): void {
    if (this.#calls?.size) this.#leaving ??= reason;
    else this.close(reason);
  }

  message(text: string): void {
    if (this.isClosed || this.#leaving) return;
    this.heard();
    if (this.#context) this.#heardAt = this.environment.sweeps;
    const caller = this.#caller;
    if (text === "PONG") return;
    if (text === "PING") {
      this.send("PONG");
    } else if (text.length > this.environment.limits.frameLength) {
      this.close("message_too_large");
    } else if (caller) {
      this.#caller = undefined;
      this.#enter(async () =>
        this.environment.createContext({ origin: caller.origin, token: readConnectionToken(text) ?? caller.token }),
      );
    } else {
      this.#receive(text);
    }
  }

  /** Called at every sweep of the hub. */
  sweep(): void {
    const { sweeps, sweepsUntil } = this.environment;
    const quiet = sweeps - this.#heardAt;
    if (this.#leaving) {
      this.close(this.#leaving);
    } else if (!this.#context) {
      if (quiet >= sweepsUntil.authenticated) this.close("authentication_timeout");
    } else if (quiet === sweepsUntil.ping) {
      this.send("PING");
    } else if (quiet >= sweepsUntil.ping + (this.isSlow ? sweepsUntil.slowAnswer : sweepsUntil.answer)) {
      this.terminate();
    }
  }

  fail(call: Call, cause: unknown): void {
    const { type, path, input, context } = call;
    this.refuse(call.head, { cause, type, path, input, context: context ?? this.#freshContext() });
  }

  async prepare(call: Call): Promise<void> {
    if (!this.#context) await this.#opening;
    const context = this.#freshContext();
    call.context = context && { ...context, isResumed: call.isResumed };
  }

  forget(id: Call["id"]): void {
    if (this.#subscriptions?.delete(id)) this.environment.subscriptions--;
  }

  ended({ path, context }: Call, milliseconds: number): void {
    const { requestId = "", actor } = context ?? {};
    const ms = Math.round(milliseconds);
    this.environment.note({ requestId, userId: actor?.userId ?? null, procedure: path, ms }, "subscription ended");
  }

  protected onClosed(): void {
    const subscriptions = this.#subscriptions;
    this.#subscriptions = undefined;
    this.environment.subscriptions -= subscriptions?.size ?? 0;
    this.environment.closed(this);
    for (const subscription of subscriptions?.values() ?? []) subscription.stop();
    for (const controller of this.#calls ?? []) controller.abort(closeReason);
  }

  #enter(createContext: () => Promise<SocketContext>): void {
    const { environment } = this;
    this.#opening = createContext().then((context) => {
      // A socket keeps who it belongs to: who that is has to be asked again, over another one.
      if (context.refusal?.reason === "unavailable") throw context.refusal;
      this.#context = context;
      this.#heardAt = environment.sweeps;
      this.#opening = undefined;
    });
    this.#opening.catch((cause: unknown) => {
      const isMalformed = cause instanceof TRPCError && cause.code === "PARSE_ERROR";
      if (!isMalformed) this.report(cause, "the context of a socket could not be made");
      this.refuse(headOf(null, undefined), { cause, type: "unknown" });
      // Calls that came meanwhile are told first.
      setTimeout(() => this.close(isMalformed ? "invalid_connection_params" : "unavailable"), 0);
    });
  }

  #receive(text: string): void {
    let messages: TRPCClientOutgoingMessage[];
    try {
      messages = readMessages(text);
    } catch (cause) {
      this.refuse(headOf(null, undefined), { cause, type: "unknown", context: this.#freshContext() });
      return;
    }
    const calls = messages.filter(({ method }) => method === "query" || method === "mutation").length;
    const isCrowded = calls > this.environment.limits.callsPerFrame;
    for (const message of messages) this.#take(message, isCrowded);
  }

  #take(message: TRPCClientOutgoingMessage, isCrowded: boolean): void {
    const { id, jsonrpc } = message;
    const { requestIdLength } = this.environment.limits;
    if (id === null || (typeof id === "string" && id.length > requestIdLength)) {
      const cause = new TRPCError({ code: "PARSE_ERROR", message: id === null ? "`id` is required" : "`id` is too long" });
      this.refuse(headOf(null, jsonrpc), { cause, type: "unknown", context: this.#freshContext() });
    } else if (message.method === "subscription.stop") {
      this.#subscriptions?.get(id)?.stop();
    } else {
      const { path, input, lastEventId } = message.params;
      const head = headOf(id, jsonrpc);
      const call: Call = { id, head, type: message.method, path, input, lastEventId, context: undefined, isResumed: false };
      if (call.type === "subscription") this.#subscribe(call);
      else void this.#answer(call, isCrowded);
    }
  }

  async #answer(call: Call, isCrowded: boolean): Promise<void> {
    const controller = new AbortController();
    try {
      this.#admit(controller, isCrowded);
      await this.prepare(call);
      if (controller.signal.aborted) return;
      const output = await this.invoke(call, controller.signal);
      if (isAsyncIterable(output)) {
        const message = `Cannot return an async iterable or observable from a ${call.type} procedure with WebSockets`;
        throw new TRPCError({ code: "UNSUPPORTED_MEDIA_TYPE", message });
      }
      this.send(call.head + this.bodies.data(output));
    } catch (cause) {
      if (!controller.signal.aborted || !isAbortError(cause)) this.fail(call, cause);
    } finally {
      this.#calls?.delete(controller);
      if (this.#leaving) this.dismiss(this.#leaving);
    }
  }

  #admit(controller: AbortController, isCrowded: boolean): void {
    const { callsPerFrame, callsUnderWay } = this.environment.limits;
    if (isCrowded) throw new AppError("payload_too_large", `Send at most ${callsPerFrame} calls at once`);
    this.#calls ??= new Set();
    if (this.#calls.size >= callsUnderWay) throw new AppError("rate_limited", "Too many calls are under way on this socket");
    this.#calls.add(controller);
  }

  #subscribe(call: Call): void {
    const { subscriptions: most } = this.environment.limits;
    this.#subscriptions ??= new Map();
    if (this.#subscriptions.has(call.id)) {
      this.fail(call, new TRPCError({ code: "BAD_REQUEST", message: `Duplicate id ${call.id}` }));
    } else if (this.#subscriptions.size >= most) {
      this.fail(call, new AppError("rate_limited", `A socket carries at most ${most} subscriptions`));
    } else {
      this.#begin(call);
    }
  }

  #begin(call: Call): void {
    const subscription = new Subscription(call, this);
    this.#subscriptions ??= new Map();
    this.#subscriptions.set(call.id, subscription);
    this.environment.subscriptions++;
    void subscription.run();
  }

  /** Every call and every refusal has a request id of its own. */
  #freshContext(): SocketContext | undefined {
    return this.#context && { ...this.#context, requestId: this.environment.requestId() };
  }
}
