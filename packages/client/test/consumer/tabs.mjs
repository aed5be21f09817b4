// One of several tabs: what it hears is in `heard`, what becomes of its session in `told`.
import { createParley, localStorageStore } from "@parley/client";

const isCookie = new URLSearchParams(location.search).has("cookie");
const auth = isCookie ? { cookie: true } : { store: localStorageStore() };
const parley = createParley({ url: location.origin, auth });
const page = { parley, heard: [], told: [], states: [], follow };

parley.auth.onBegin(() => page.told.push("begun"));
parley.auth.onEnd((reason) => page.told.push(reason));

/** From now on, and again when it has ended. */
function follow() {
  parley.api.chat.live.subscribe(
    {},
    {
      onStarted: () => page.states.push("started"),
      onData: ({ data }) => page.heard.push(data.type === "message-created" ? data.message.content : data.type),
      onError: ({ message }) => page.states.push(message),
      onComplete() {
        page.states.push("ended");
        follow();
      },
    },
  );
}

Object.assign(globalThis, { page });
