import { command } from "../command.ts";
import { tell } from "../output/say.ts";

export const whoami = command({
  name: "whoami",
  summary: "Says who is signed in, and where",
  async run(context) {
    const { user, session } = await context.parley().api.auth.me.query();
    const { displayName, email, plan, role } = user;
    const words = `${displayName} <${email}>, ${role}, plan ${plan}, at ${context.url}${session ? "" : ", with a key"}`;
    tell(context, { url: context.url, user, session }, words);
  },
});
