import { DurableObject } from "cloudflare:workers";
import { defaultLimits } from "@parley/api/limits";
import { type SocketEnding, socketEndings } from "@parley/contract/endings";
import { lookAfterMs, type ObjectState, type ServerSocket, type SleeperMethods } from "@parley/platform/workers/runtime";
import type { Bindings } from "../bindings.ts";
import type { AwakeSocket, Beginning } from "../isolate/awake-socket.ts";
import { isolateOf } from "../isolate.ts";
import { askToBeWoken, type RestedSocket, restedSocket, wakeNoMore } from "./rested-socket.ts";

const lookForQuietMs = 1_000;
/** Whoever has sent a PING since then is there. */
const recentMs = 60_000;
/** An object to which nothing comes for 70 s may be put out, whatever it is doing. */
const stayAwakeMs = 30_000;

/**
 * One socket: whoever it belongs to is known only once its token has come, and it follows many runs. While nothing happens it
 * sleeps: all of it is then in the socket's attachment, and the runtime may put the object out of memory.
 */
export class SocketObject extends DurableObject<Bindings> implements SleeperMethods {
  #awake: AwakeSocket | null = null;
  /** It falls asleep, wakes up and closes, one after the other. */
  #turning: Promise<void> = Promise.resolve();
  #looking: ReturnType<typeof setInterval> | undefined;
  /** The runtime may put the object out of memory. */
  #letGo = () => {};
  /** From the time that it comes into memory until it is put out. */
  readonly #life = crypto.randomUUID();

  constructor(ctx: ObjectState, env: Bindings) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("PING", "PONG"));
  }

  async fetch(request: Request): Promise<Response> {
    const { admit } = await isolateOf(this.env);
    const opening = admit(request);
    const { 0: client, 1: server } = new WebSocketPair();
    await this.#open(server, { opening }, () => this.ctx.acceptWebSocket(server));
    return new Response(null, { status: 101, webSocket: client } as ResponseInit);
  }

  override async webSocketMessage(server: ServerSocket, message: string | ArrayBuffer): Promise<void> {
    if (typeof message !== "string") return this.#closed(server, socketEndings.text_only, "text_only");
    if (!this.#awake && message === "PONG") return this.#isThere(server);
    if (!this.#awake) await this.#turn(() => this.#wake(server));
    this.#awake?.message(message);
  }

  override webSocketClose(server: ServerSocket, code: number, reason: string): Promise<void> {
    return this.#closed(server, code === 1005 || code === 1006 ? 1000 : code, reason);
  }

  override webSocketError(server: ServerSocket): Promise<void> {
    return this.#closed(server, socketEndings.failed, "failed");
  }

  async wake(ending: SocketEnding | null): Promise<boolean> {
    const [server] = this.ctx.getWebSockets();
    if (!server) return false;
    await this.#turn(async () => {
      if (!ending) return this.#wake(server);
      if (this.#awake) this.#awake.close(ending);
      else await this.#end(server, ending);
    });
    return true;
  }

  override async alarm(): Promise<void> {
    const [server] = this.ctx.getWebSockets();
    if (!server) return this.ctx.storage.deleteAll();
    await this.#turn(() => (this.#awake ? this.#setAlarm(stayAwakeMs) : this.#lookAfter(server)));
  }

  #closed(server: ServerSocket, code: number, reason: string): Promise<void> {
    return this.#turn(async () => {
      close(server, code, reason);
      if (this.#awake) this.#awake.end();
      else await this.#forget(server);
    });
  }

  async #open(server: ServerSocket, beginning: Beginning, accept: () => void): Promise<void> {
    const { openSocket } = await isolateOf(this.env);
    const hold = (work: Promise<void>) => this.ctx.waitUntil(work);
    hold(
      new Promise((resolve) => {
        this.#letGo = resolve;
      }),
    );
    const closed = () => {
      this.#leave();
      hold(this.#forget(server));
    };
    this.#awake = await openSocket({ server, hold, accept, closed }, beginning).catch((cause: unknown) => {
      this.#letGo();
      throw cause;
    });
    this.#looking = setInterval(() => this.#look(server), lookForQuietMs);
    await this.#setAlarm(stayAwakeMs);
    await this.#note("a socket is awake");
  }

  #leave() {
    clearInterval(this.#looking);
    this.#awake = null;
    this.#letGo();
  }

  #look(server: ServerSocket) {
    const rested = this.#awake?.rested();
    if (!this.#awake || !rested) return;
    try {
      server.serializeAttachment(rested);
    } catch {
      void this.#note("a socket has too much to keep: its object stays in memory");
      return this.#awake.stay();
    }
    this.#awake.leave();
    this.#leave();
    const hold = this.#turn(async () => {
      if (!(await askToBeWoken(this.env, this.#name, rested))) return this.#wake(server);
      await this.#setAlarm(lookAfterMs);
      await this.#note("a socket sleeps", { userId: rested.actor?.userId ?? null });
    });
    this.ctx.waitUntil(hold);
  }

  async #wake(server: ServerSocket): Promise<void> {
    if (this.#awake) return;
    const rested = restedSocket(server);
    // It was awake, and has lost its memory: its client knows where to go on.
    if (!rested) return this.#end(server, "restarting");
    await wakeNoMore(this.env, this.#name, rested);
    await this.#open(server, { rested }, () => server.serializeAttachment(null));
  }

  /** Asks whether the client is still there, where it has not told by itself, and those who are to wake it to go on. */
  async #lookAfter(server: ServerSocket): Promise<void> {
    const rested = restedSocket(server);
    if (!rested) return this.#wake(server);
    await this.#setAlarm(lookAfterMs);
    const heardAt = this.ctx.getWebSocketAutoResponseTimestamp(server)?.getTime() ?? 0;
    if (Date.now() - heardAt > recentMs) {
      if (rested.isAsked) return this.#end(server, "terminated");
      server.serializeAttachment({ ...rested, isAsked: true } satisfies RestedSocket);
      server.send("PING");
      await this.#setAlarm(defaultLimits.answerMs);
    }
    const again = {
      ...rested,
      access: { ...rested.access, after: null },
      places: rested.places.map((place) => ({ ...place, passed: null })),
    };
    if (!(await askToBeWoken(this.env, this.#name, again))) await this.#wake(server);
  }

  async #isThere(server: ServerSocket): Promise<void> {
    const rested = restedSocket(server);
    if (!rested?.isAsked) return;
    server.serializeAttachment({ ...rested, isAsked: false } satisfies RestedSocket);
    await this.#setAlarm(lookAfterMs);
  }

  async #end(server: ServerSocket, ending: SocketEnding): Promise<void> {
    close(server, socketEndings[ending], ending);
    await this.#forget(server);
  }

  async #forget(server: ServerSocket): Promise<void> {
    const rested = restedSocket(server);
    if (rested) await wakeNoMore(this.env, this.#name, rested);
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  #turn(work: () => Promise<void>): Promise<void> {
    this.#turning = this.#turning.then(work).catch(async (error: unknown) => {
      const { setup } = await isolateOf(this.env);
      setup.log.warn({ err: error, socket: this.#name }, "a socket could not be woken, or go to sleep");
      for (const server of this.ctx.getWebSockets()) await this.#end(server, "unavailable");
    });
    return this.#turning;
  }

  get #name(): string {
    return this.ctx.id.toString();
  }

  #setAlarm(milliseconds: number): Promise<void> {
    return this.ctx.storage.setAlarm(Date.now() + milliseconds);
  }

  async #note(message: string, fields: object = {}): Promise<void> {
    const { setup } = await isolateOf(this.env);
    setup.log.debug({ socket: this.#name, life: this.#life, ...fields }, message);
  }
}

/** It may be closed already. */
function close(server: ServerSocket, code: number, reason: string): void {
  try {
    server.close(code, reason);
  } catch {
    // Then there is nothing left to do.
  }
}
