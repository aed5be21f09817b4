/// <reference path="../cloudflare.d.ts" />

/** Of the runtime's types, those that we use. Its own package declares globals that are at odds with the DOM's and Node's. */
export interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void;
}

type SqlValue = string | number | null;

export interface Sql {
  exec<Row extends Record<string, SqlValue>>(text: string, ...values: SqlValue[]): { toArray(): Row[] };
}

export interface ObjectStorage {
  readonly sql: Sql;
  transactionSync<Result>(work: () => Result): Result;
  getAlarm(): Promise<number | null>;
  setAlarm(time: number): Promise<void>;
  deleteAlarm(): Promise<void>;
  deleteAll(): Promise<void>;
}

/** Of the runtime's socket, what the DOM's has not. */
export interface ServerSocket extends WebSocket {
  /** Kept while its object is out of memory; throws for more than 16 KB. */
  serializeAttachment(attachment: unknown): void;
  deserializeAttachment(): unknown;
}

export interface ObjectState extends ExecutionContext {
  readonly id: ObjectId;
  readonly storage: ObjectStorage;
  /** The object may be put out of memory while it is open, and is made anew for what comes. */
  acceptWebSocket(socket: ServerSocket): void;
  getWebSockets(): ServerSocket[];
  setWebSocketAutoResponse(pair: object): void;
  /** When the runtime has last answered for the object. */
  getWebSocketAutoResponseTimestamp(socket: ServerSocket): Date | null;
  blockConcurrencyWhile<Result>(work: () => Promise<Result>): Promise<Result>;
}

interface ObjectId {
  toString(): string;
}

/** The objects of one class; a stub is good for one call or a few: it breaks with its object. */
export interface ObjectNamespace<Stub> {
  idFromName(name: string): ObjectId;
  idFromString(id: string): ObjectId;
  newUniqueId(): ObjectId;
  get(id: ObjectId): Stub;
}

/** What can be asked over RPC: what is answered without a promise comes as one. */
export type Remote<Methods> = {
  [Name in keyof Methods]: Methods[Name] extends (...given: infer Given) => infer Result
    ? (...given: Given) => Promise<Awaited<Result>>
    : never;
};

export const named = <Stub>(namespace: ObjectNamespace<Stub>, name: string): Stub => namespace.get(namespace.idFromName(name));
