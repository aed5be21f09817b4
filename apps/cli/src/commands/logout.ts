import { isParleyError } from "@parley/client";
import { command } from "../command.ts";
import { usage } from "../failure.ts";
import { tell } from "../output/say.ts";

export const logout = command({
  name: "logout",
  summary: "Signs out, here and on the server",
  async run(context) {
    if (context.hasKey) throw usage("PARLEY_TOKEN is set: there is no session to end");
    const { auth } = context.parley();
    const wasSignedIn = await auth.isSignedIn();
    if (wasSignedIn) {
      try {
        await auth.signOut();
      } catch (error) {
        // Ended elsewhere: all the better.
        if (!isParleyError(error) || error.data.code !== "UNAUTHORIZED") throw error;
      }
    }
    tell(
      context,
      { url: context.url, wasSignedIn },
      wasSignedIn ? `Signed out at ${context.url}` : `Nobody is signed in at ${context.url}`,
    );
  },
});
