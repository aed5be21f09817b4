import { scriptedProvider } from "@parley/testing";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { type TestApp, testApp } from "../../server/test/kit.ts";
import type { Place } from "../../server/test/workerd.ts";
import { type Home, home } from "./kit.ts";

/** For the tests of one place: a server whose answers they write, and for each of them somebody who has signed up. */
export function scriptedStage(database: Place) {
  const { provider, next } = scriptedProvider();
  let app: TestApp;
  let mine: Home;
  beforeAll(async () => {
    app = await testApp({ database, providers: [provider] });
  });
  afterAll(() => app?.stop());
  beforeEach(async () => {
    mine = await home(app.url);
    await mine.signUp();
  });
  afterEach(() => mine?.[Symbol.asyncDispose]());

  return {
    get app() {
      return app;
    },
    get mine() {
      return mine;
    },
    next,
    async answerWith(...texts: string[]) {
      const stream = await next();
      for (const text of texts) stream.text(text);
      stream.end();
      return stream;
    },
  };
}
