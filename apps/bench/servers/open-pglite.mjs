// The limit of a start on PGlite: the database opens and answers, and then a port is open.
import http from "node:http";
import { PGlite } from "@electric-sql/pglite";

const database = await PGlite.create({ dataDir: process.env.DATA_DIR });
await database.query("select 1");
const answer = (_request, response) => response.end("ok");
http.createServer(answer).listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", async () => {
  await database.close();
  process.exit(0);
});
