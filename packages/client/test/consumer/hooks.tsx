// A page with everything that the hooks can do, under React 18. It stays mounted when somebody signs out.
import { createParley, localStorageStore } from "@parley/client";
import {
  type ChatMessage,
  ParleyProvider,
  useChat,
  useConversations,
  useLive,
  useParley,
  useSignedIn,
} from "@parley/client/react";
import { type FormEvent, StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

const parley = createParley({ url: location.origin, auth: { store: localStorageStore() } });
const style = `
  body { font: 15px system-ui; margin: 0 }
  main { display: grid; grid-template-columns: 15rem 1fr; grid-template-rows: auto 1fr; height: 100vh }
  header { grid-column: 1 / 3; display: flex; gap: .5rem; padding: .5rem; background: #eee }
  nav, section { overflow: auto; padding: .5rem }
  nav div, article footer { display: flex; gap: .25rem; margin: .25rem 0 }
  nav button:first-child { flex: 1; text-align: left }
  article { border-left: 3px solid #aaa; margin: .5rem 0; padding-left: .5rem }
  article.user { border-color: #47c }
  [role=alert], .failed p { color: #b22 }
`;

const Button = ({ label, onClick }: { label: string; onClick(): unknown }) => (
  <button type="button" onClick={() => void onClick()}>
    {label}
  </button>
);

/** The fields of a form that was sent, which is empty afterwards. */
function taken(event: FormEvent<HTMLFormElement>): Record<string, string> {
  event.preventDefault();
  const fields = Object.entries(Object.fromEntries(new FormData(event.currentTarget)));
  event.currentTarget.reset();
  return Object.fromEntries(fields.map(([name, value]) => [name, String(value)]));
}

function App() {
  const [chosen, choose] = useState<string>();
  useEffect(() => parley.auth.onEnd(() => choose(undefined)), []);
  return (
    <main>
      <style>{style}</style>
      <Header />
      <List choose={choose} />
      <Conversation chosen={chosen} choose={choose} />
    </main>
  );
}

function Header() {
  const { auth } = useParley();
  const isSignedIn = useSignedIn();
  const [heard, hear] = useState("nothing");
  const state = useLive((event) => {
    if (event.type === "typing" && event.who !== "model") hear(`${event.who.name} ${event.typing ? "types" : "is silent"}`);
  });
  const enter = ({ email = "", password = "" }: Record<string, string>) => auth.signIn({ identifier: email, password });
  return (
    <header>
      <output aria-label="Live">{state}</output>
      <output aria-label="Heard">{heard}</output>
      {isSignedIn ? (
        <Button label="Sign out" onClick={auth.signOut} />
      ) : (
        <form onSubmit={(event) => void enter(taken(event))}>
          <input name="email" /> <input name="password" type="password" /> <button type="submit">Sign in</button>
        </form>
      )}
    </header>
  );
}

function List({ choose }: { choose(conversationId?: string): void }) {
  const { conversations: api } = useParley().api.chat;
  const { conversations, hasMore, loadMore } = useConversations({ limit: 3 });
  return (
    <nav>
      {conversations.map(({ id, title }) => (
        <div key={id}>
          <Button label={title} onClick={() => choose(id)} />
          <Button label={`Shout ${title}`} onClick={() => api.update.mutate({ id, title: title.toUpperCase() })} />
          <Button label={`Delete ${title}`} onClick={() => api.delete.mutate({ id })} />
        </div>
      ))}
      {hasMore && <Button label="More" onClick={loadMore} />}
      <Button label="New" onClick={() => choose()} />
    </nav>
  );
}

function Conversation({ chosen, choose }: { chosen: string | undefined; choose(conversationId: string): void }) {
  const { conversationId, messages, status, error, ...chat } = useChat({ conversationId: chosen });
  const [changing, change] = useState<{ of: ChatMessage; how: "edit" | "branch" }>();
  useEffect(() => {
    if (conversationId) choose(conversationId);
  }, [conversationId, choose]);

  function submit({ text = "" }: Record<string, string>) {
    change(undefined);
    if (!changing) return chat.send(text);
    const { of, how } = changing;
    return how === "edit" ? chat.edit(of.id, text) : chat.send(text, { ...(of.parentId && { parentId: of.parentId }) });
  }

  return (
    <section className={status}>
      {chat.hasOlder && <Button label={chat.isLoadingOlder ? "Loading" : "Older"} onClick={chat.loadOlder} />}
      {messages.map((message) => (
        <Line key={message.id} of={message} change={(how) => change({ of: message, how })} chat={chat} />
      ))}
      {error && (
        <div role="alert">
          {error.message} <Button label="Try again" onClick={chat.retry} /> <Button label="Never mind" onClick={chat.dismiss} />
        </div>
      )}
      <form onSubmit={(event) => void submit(taken(event))}>
        <input name="text" placeholder={changing ? changing.of.content : "Ask"} /> <button type="submit">Send</button>
      </form>
    </section>
  );
}

interface LineProps {
  of: ChatMessage;
  change(how: "edit" | "branch"): void;
  chat: Pick<ReturnType<typeof useChat>, "regenerate" | "showBranch">;
}

function Line({ of: { id, role, status, delivery, content, error, editedAt, siblings }, change, chat }: LineProps) {
  const { ids, index } = siblings;
  const [before, after] = [ids[index - 1], ids[index + 1]];
  return (
    <article className={`${role} ${delivery ?? status}`}>
      <p>{content}</p>
      {error && <small>{error.message}</small>}
      <footer>
        {editedAt && <small>edited</small>}
        {role === "user" && <Button label="Edit" onClick={() => change("edit")} />}
        {role === "user" && <Button label="Branch" onClick={() => change("branch")} />}
        <Button label="Again" onClick={() => chat.regenerate(id)} />
        {before && <Button label="Before" onClick={() => chat.showBranch(before)} />}
        {ids.length > 1 && `${index + 1} of ${ids.length}`}
        {after && <Button label="After" onClick={() => chat.showBranch(after)} />}
      </footer>
    </article>
  );
}

createRoot(document.body.appendChild(document.createElement("div"))).render(
  <StrictMode>
    <ParleyProvider parley={parley}>
      <App />
    </ParleyProvider>
  </StrictMode>,
);
