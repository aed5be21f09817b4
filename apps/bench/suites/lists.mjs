// Pages and searches of somebody who has a million messages, one after the other, as a client sees them over HTTP.
import http from "node:http";
import { bringUp } from "../lib/bring-up.mjs";
import { failures, median, progress, promise, table, times } from "../lib/stats.mjs";

/** Calls a round: the first ones of a round warm up what the last kind of call has cooled. */
const calls = 30;

/** The time until the answer is read, in milliseconds. */
function call(agent, url, { path, token }) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const request = http.get(url + path, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text) => {
        body += text;
      });
      response.on("end", () => {
        if (response.statusCode === 200) resolve({ ms: performance.now() - startedAt, body });
        else reject(new Error(`${path}: ${response.statusCode} ${body.slice(0, 300)}`));
      });
    });
    request.on("error", reject);
  });
}

export async function run({ row, names, all, rounds, profile }) {
  const got = {};
  const errors = {};
  for (const name of names) {
    let server;
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    try {
      progress(`lists: ${name}: a million messages are being written`);
      const context = {};
      server = await bringUp(name, all[name], context, { row, profile });
      const { works } = await all[name].plan(context.state, (request) => call(agent, server.url, request));
      got[name] = Object.fromEntries(works.map(({ what }) => [what, []]));
      for (let round = 0; round < rounds; round++) {
        for (const { what, request, expect } of works) {
          progress(`lists: round ${round + 1} of ${rounds}, ${name}, ${what}`);
          const taken = [];
          for (let count = 0; count < calls; count++) {
            const { ms, body } = await call(agent, server.url, request);
            if (!expect(JSON.parse(body).result.data.json)) throw new Error(`${what}: not what was asked for: ${body.slice(0, 300)}`);
            taken.push(ms);
          }
          got[name][what].push(median(taken));
        }
      }
    } catch (error) {
      errors[name] = error.message;
    } finally {
      agent.destroy();
      await server?.stop();
    }
  }
  const rows = Object.entries(got).flatMap(([name, works]) =>
    Object.entries(works).map(([what, taken]) => {
      const { against, most } = all[name].promises[what] ?? {};
      const ratio = against ? median(taken.map((ms, round) => ms / works[against][round])) : Number.NaN;
      return [name, what, median(taken), against ? times(ratio) : "", against && most ? promise(ratio, { most, unit: "×" }) : ""];
    }),
  );
  return {
    data: { got, errors },
    markdown: `### 1,000,000 messages in 2,000 conversations, one of them a branch of 60,000

${table(["target", "what", "ms", "÷ page 1", "promise"], rows)}${failures(errors)}`,
  };
}
