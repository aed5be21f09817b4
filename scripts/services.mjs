// What tests may use beside the embedded database, where it answers. With CI set, it is required.
import { connect } from "node:net";

const services = [
  { name: "Postgres", variable: "TEST_DATABASE_URL", url: "postgres://postgres@127.0.0.1:5432/postgres" },
  { name: "Redis", variable: "TEST_REDIS_URL", url: "redis://127.0.0.1:6379" },
];

/** Says which services answer. The environment that names them. */
export async function findServices() {
  const env = {};
  for (const { name, variable, url: usual } of services) {
    const url = process.env[variable] || usual;
    if (await answers(new URL(url))) {
      env[variable] = url;
      console.log(`${name.padEnd(9)} tested at ${new URL(url).host}`);
    } else if (process.env.CI) {
      console.error(`${name} does not answer at ${new URL(url).host}, and CI requires it (${variable})`);
      process.exit(1);
    } else {
      env[variable] = "";
      console.log(`${name.padEnd(9)} SKIPPED: nothing answers at ${new URL(url).host} (${variable} names another)`);
    }
  }
  return env;
}

function answers({ hostname, port }) {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: 1_000 });
    const settle = (result) => () => {
      socket.destroy();
      resolve(result);
    };
    socket.on("connect", settle(true));
    socket.on("error", settle(false));
    socket.on("timeout", settle(false));
  });
}
