// The limit of a start on Postgres: a connection answers, and then a port is open.
import http from "node:http";
import postgres from "postgres";

const sql = postgres(process.env.DATABASE_URL, { max: 1 });
await sql`select 1`;
const answer = (_request, response) => response.end("ok");
http.createServer(answer).listen(Number(process.env.PORT), "127.0.0.1");
