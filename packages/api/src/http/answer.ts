import { AppError } from "@parley/core";
import { type ApiErrorShape, errorShape } from "../errors.ts";

/** A response as plain data: building it once, at the end, keeps `Headers` out of the way of every call. */
export interface Answer {
  readonly status: number;
  /** The content type; null where there is no body. */
  readonly type: string | null;
  readonly headers?: Record<string, string> | undefined;
  readonly body: string | ReadableStream<Uint8Array<ArrayBuffer>> | null;
}

export const json = "application/json";

export function jsonAnswer(status: number, body: unknown): Answer {
  return { status, type: json, body: JSON.stringify(body) };
}

/** Outside of tRPC's routes: the same shape, without its transformer. */
export function errorAnswer(error: AppError, requestId: string): Answer {
  const shape = errorShape(error, requestId);
  return { ...jsonAnswer(shape.data.httpStatus, { error: shape }), headers: retryAfter([shape]) };
}

export function retryAfter(shapes: readonly ApiErrorShape[]): Record<string, string> | undefined {
  const milliseconds = Math.max(...shapes.map((shape) => shape.data.retryAfterMs ?? 0));
  return milliseconds > 0 ? { "retry-after": String(Math.ceil(milliseconds / 1000)) } : undefined;
}

export function notFound(): AppError {
  return new AppError("not_found", "There is nothing at this address");
}
