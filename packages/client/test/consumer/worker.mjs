// The same in a Worker, as `workerd test` runs it.
import { asked } from "./asked.mjs";

export default {
  async test(_controller, { url, transport }) {
    console.log(JSON.stringify(await asked({ url, transport })));
  },
};
