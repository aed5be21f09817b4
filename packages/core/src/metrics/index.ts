export { spanTotals } from "../tracing/span-totals.ts";
export { type AnyInstrument, type Counted, createInstruments, type Instruments } from "./instruments.ts";
export { createMeters } from "./meters.ts";
