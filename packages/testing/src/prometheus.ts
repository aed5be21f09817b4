/// <reference path="./parse-prometheus-text-format.d.ts" />
import parse from "parse-prometheus-text-format";

/** A page of metrics as a parser of Prometheus's text format reads it, which throws where it cannot. */
export const parseMetrics = (page: string) => parse(page);
