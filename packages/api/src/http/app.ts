import { AppError } from "@parley/core";
import { Hono } from "hono";
import { notFound } from "./answer.ts";
import type { Gate } from "./gate.ts";
import { createHealthRoutes } from "./health.ts";
import { landingAnswer, styleAnswer } from "./landing-page.ts";
import { createMetricsPage } from "./metrics-page.ts";
import type { ApiOptions } from "./options.ts";
import { createPipeline } from "./pipeline.ts";
import { createTrpcRoute } from "./trpc-route.ts";

/** Everything over HTTP but the upgrade, which passes the same gate. */
export function createApp(options: ApiOptions, gate: Gate): Hono {
  const serve = createPipeline(options, gate);
  const trpc = createTrpcRoute(options);
  const { health, ready, live } = createHealthRoutes(options);

  // One handler a route, and no middleware: Hono then calls it without composing anything around it.
  const app = new Hono();
  app.all("/trpc/*", serve(trpc.handler, { errorAnswer: trpc.errorAnswer }));
  for (const prefix of ["", "/api/v1"]) {
    app.get(`${prefix}/health`, serve(health, { probe: true }));
    app.get(`${prefix}/ready`, serve(ready, { probe: true }));
    app.get(`${prefix}/live`, serve(live, { probe: true }));
  }
  app.get("/metrics", serve(createMetricsPage(options), { probe: true }));
  app.get(
    "/",
    serve(({ secure, host }) => landingAnswer(options.version, options.publicUrl ?? `http${secure ? "s" : ""}://${host}`)),
  );
  app.get(
    "/style.css",
    serve(() => styleAnswer),
  );
  app.notFound(
    serve(() => {
      throw notFound();
    }),
  );
  // What a route behind `serve` throws never comes here.
  app.onError((error, c) => {
    const rethrow = serve(() => {
      throw error instanceof AppError ? error : new Error("a route failed", { cause: error });
    });
    return rethrow(c);
  });
  return app;
}
