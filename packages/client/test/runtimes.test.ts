import { writeFile } from "node:fs/promises";
import path from "node:path";
import { createParley } from "@parley/client";
import { type BreakingProxy, breakingProxy } from "@parley/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientPlaces } from "../../../apps/server/test/workerd.ts";
import { Consumer } from "./consumer.ts";
import { askIn, askRecipe, canBeTried, installRuntimes, type Runtime, runtimes } from "./runtimes.ts";
import { type StartedServer, startServer } from "./workspace.ts";

let consumer: Consumer;
let programOf: (runtime: Runtime) => string;

beforeAll(async () => {
  consumer = await Consumer.create();
  programOf = await installRuntimes(consumer);
}, 300_000);

afterAll(() => consumer?.[Symbol.asyncDispose]());

describe.skipIf(!runtimes.some(canBeTried)).each(clientPlaces)(
  "in other runtimes, with the server on %s",
  { timeout: 60_000 },
  (place) => {
    let server: StartedServer;
    let proxy: BreakingProxy;

    beforeAll(async () => {
      server = await startServer(consumer.folder, place);
      proxy = await breakingProxy(server.url);
    }, 60_000);

    afterAll(async () => {
      proxy?.close();
      await server?.stop();
    });

    describe.each(runtimes)("%s", (runtime) => {
      test.runIf(canBeTried(runtime)).each(["websocket", "sse"])("asks and follows on a bad line: %s", async (transport) => {
        const before = proxy.broken();
        const { status, gaps, text, stored } = await askIn(runtime, programOf(runtime), consumer, { url: proxy.url, transport });
        expect(proxy.broken() - before).toBeGreaterThan(1);
        expect({ status, gaps, text }).toEqual({ status: "completed", gaps: 0, text: stored });
      });
    });

    test.runIf(canBeTried("workerd"))("workerd runs the recipe of the README, from Worker to Worker", async () => {
      const readme = await consumer.read("README.md");
      const recipe = /## Worker to Worker\n+```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
      await writeFile(path.join(consumer.folder, "recipe.ts"), recipe.replace("https://chat.example.com", server.url));
      const parley = createParley({ url: server.url });
      await parley.auth.register({ email: "worker@example.com", password: "Correct-horse-1" });
      const { key } = await parley.api.apiKey.create.mutate({ name: "for a Worker" });
      const text = await askRecipe(programOf("workerd"), consumer, { url: server.url, key });
      expect(text).toContain('It says: "Are you a Worker?"');
    });
  },
);
