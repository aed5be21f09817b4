import { createParley, localStorageStore } from "@parley/client";
import { type ChatMessage, ParleyProvider, useChat, useSignedIn } from "@parley/client/react";
import { memo } from "react";
import { createRoot } from "react-dom/client";

const parley = createParley({ url: location.origin, auth: { store: localStorageStore() } });
const button = (label: string, onClick: () => unknown) => <input type="button" value={label} onClick={() => void onClick()} />;

function App() {
  const isSignedIn = useSignedIn();
  if (isSignedIn) return <Conversation />;
  const signIn = async (form: FormData) => {
    const given = { identifier: String(form.get("email")), password: String(form.get("password")) };
    await parley.auth.signIn(given).catch(({ message }: Error) => alert(message));
  };
  return (
    <form action={signIn} hidden={isSignedIn === undefined}>
      <input name="email" /> <input name="password" type="password" /> <input type="submit" value="Sign in" />
    </form>
  );
}

function Conversation() {
  const { conversationId, messages, error, status, ...chat } = useChat({ conversationId: location.hash.slice(1) || undefined });
  if (conversationId) location.hash = conversationId;
  const lines = messages.map((message) => <Line key={message.id} of={message} />);
  return (
    <form action={(form: FormData) => chat.send(String(form.get("text")))}>
      {lines}
      {error && button(`${error.message}: try again`, chat.retry)}
      <input name="text" /> <input type="submit" value="Ask" />
      {status === "answering" ? button("Stop", chat.stop) : button("Again", () => chat.regenerate())}
      {button("Sign out", parley.auth.signOut)}
    </form>
  );
}

const Line = memo(({ of }: { of: ChatMessage }) => <p className={`${of.role} ${of.status}`}>{of.content}</p>);
const app = <App />;
createRoot(document.body).render(<ParleyProvider parley={parley}>{app}</ParleyProvider>);
