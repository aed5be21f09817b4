import { TRPCError } from "@trpc/server";

type Deserialize = (raw: unknown) => unknown;

/**
 * The inputs of one request, parsed when the first procedure asks: a call without input costs nothing. As in tRPC, one
 * input that cannot be read is refused to every call of the batch that reads its own.
 */
export class Inputs {
  readonly #read: () => string | null;
  readonly #batchSize: number | null;
  readonly #deserialize: Deserialize;
  #inputs: unknown[] | undefined;
  #error: TRPCError | undefined;

  constructor(read: () => string | null, batchSize: number | null, deserialize: Deserialize) {
    this.#read = read;
    this.#batchSize = batchSize;
    this.#deserialize = deserialize;
  }

  at(index: number): unknown {
    if (this.#error) throw this.#error;
    try {
      this.#inputs ??= this.#parse();
    } catch (cause) {
      this.#error = cause instanceof TRPCError ? cause : new TRPCError({ code: "BAD_REQUEST", cause });
      throw this.#error;
    }
    return this.#inputs[index];
  }

  #parse(): unknown[] {
    const text = this.#read();
    if (text === null || text === "") return [];
    const raw: unknown = JSON.parse(text);
    if (this.#batchSize === null) return [this.#deserialize(raw)];
    if (typeof raw !== "object" || raw === null || Array.isArray(raw)) throw new TRPCError({ code: "BAD_REQUEST" });
    return Array.from({ length: this.#batchSize }, (_, index) => {
      const input: unknown = Reflect.get(raw, index);
      return input === undefined ? undefined : this.#deserialize(input);
    });
  }
}
