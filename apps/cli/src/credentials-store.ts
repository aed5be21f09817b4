import { fileStore } from "@parley/client/node";
import { type Failure, fileTrouble } from "./failure.ts";
import { credentialsFile } from "./settings.ts";

/** The file of one server; its trouble names it, and is told at once: the client would try again as where a server is away. */
export function credentialsStore(url: string, tell: (trouble: Failure) => void = () => {}): ReturnType<typeof fileStore> {
  const file = credentialsFile(url);
  const store = fileStore(file);
  const named = (error: unknown): never => {
    const trouble = fileTrouble(file, error);
    tell(trouble);
    throw trouble;
  };
  return {
    read: async () => Promise.resolve(store.read()).catch(named),
    write: async (credentials) => Promise.resolve(store.write(credentials)).catch(named),
    async lock(work) {
      let isMine = false;
      try {
        return await store.lock(() => {
          isMine = true;
          return work();
        });
      } catch (error) {
        if (isMine) throw error;
        return named(error);
      }
    },
  };
}
