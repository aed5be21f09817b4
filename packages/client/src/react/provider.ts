import type { LiveEvent, Parley } from "@parley/client";
import { QueryClient, QueryClientContext, QueryClientProvider } from "@tanstack/react-query";
import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from "react";
import { type Answers, createAnswers } from "./answers.ts";
import { type Cache, createCache } from "./cache.ts";
import { createLiveFeed, type LiveFeed } from "./live.ts";
import { createStore, type Store } from "./store.ts";

interface Room {
  parley: Parley;
  cache: Cache;
  live: LiveFeed;
  answers: Answers;
  isSignedIn: Store<boolean | undefined>;
  /** From the first mount to the last unmount. */
  open(): () => void;
}

const RoomContext = createContext<Room | null>(null);

/**
 * What `ParleyProvider` takes.
 *
 * @example
 * ```tsx
 * const Providers = ({ parley, children }: ParleyProviderProps) => <ParleyProvider parley={parley}>{children}</ParleyProvider>;
 * ```
 */
export interface ParleyProviderProps {
  parley: Parley;
  children?: ReactNode;
}

/**
 * Gives the hooks below it a client, and keeps what they have read up to date with live events. It uses the `QueryClient`
 * above it, or one of its own.
 *
 * @example
 * ```tsx
 * const parley = createParley({ url: "https://chat.example.com", auth: { store: localStorageStore() } });
 * createRoot(element).render(<ParleyProvider parley={parley}><Chat /></ParleyProvider>);
 * ```
 */
export function ParleyProvider({ parley, children }: ParleyProviderProps): ReactNode {
  const above = useContext(QueryClientContext);
  const [own] = useState(() => above ?? new QueryClient());
  const client = above ?? own;
  const room = useMemo(() => createRoom(parley, client), [parley, client]);
  useEffect(() => room.open(), [room]);
  const provided = createElement(RoomContext.Provider, { value: room }, children);
  return above ? provided : createElement(QueryClientProvider, { client }, provided);
}

function createRoom(parley: Parley, client: QueryClient): Room {
  const cache = createCache(parley, client);
  const answers = createAnswers(parley, { ended: cache.end, lost: () => void cache.reloadMessages() });
  const live = createLiveFeed(parley, cache.refresh);
  const isSignedIn = createStore<boolean | undefined>(undefined);

  function turn(is: boolean) {
    if (isSignedIn.get() === is) return;
    if (isSignedIn.get() !== undefined) cache.clear();
    answers.clear();
    if (is) live.start();
    else live.stop();
    isSignedIn.set(is);
  }

  return {
    parley,
    cache,
    live,
    answers,
    isSignedIn,
    open() {
      let isOpen = true;
      const leave = [
        live.listen((event: LiveEvent) => cache.event(event)),
        parley.auth.onBegin(() => turn(true)),
        parley.auth.onEnd(() => turn(false)),
      ];
      // A server that cannot be reached has signed nobody out.
      const look = parley.auth.isSignedIn().catch(() => true);
      void look.then((is) => {
        if (!isOpen) return;
        if (isSignedIn.get() === is && is) live.start();
        turn(is);
      });
      return () => {
        isOpen = false;
        for (const away of leave) away();
        live.stop();
      };
    },
  };
}

export function useRoom(): Room {
  const room = useContext(RoomContext);
  if (!room) throw new Error("This hook needs a ParleyProvider above it");
  return room;
}

export function useStore<Value>({ subscribe, get }: Store<Value>): Value {
  return useSyncExternalStore(subscribe, get, get);
}

/**
 * The client that the provider was given, for every other call.
 *
 * @example
 * ```tsx
 * const parley = useParley();
 * const models = useQuery({ queryKey: ["models"], queryFn: () => parley.api.model.list.query() });
 * ```
 */
export function useParley(): Parley {
  return useRoom().parley;
}

/**
 * Whether somebody is signed in, here or since another tab has; undefined until it is known.
 *
 * @example
 * ```tsx
 * const isSignedIn = useSignedIn();
 * if (isSignedIn === undefined) return null;
 * return isSignedIn ? <Chat /> : <SignIn />;
 * ```
 */
export function useSignedIn(): boolean | undefined {
  return useStore(useRoom().isSignedIn);
}
