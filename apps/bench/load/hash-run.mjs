// The password hash alone, in process: node load/hash-run.mjs <at once> <seconds>
import { argon2, parameters } from "../lib/argon.mjs";

const [atOnce, seconds] = process.argv.slice(2).map(Number);
const hash = await argon2.hash("Correct-horse-battery-1", parameters);
await argon2.verify(hash, "Correct-horse-battery-1");
let count = 0;
const cpuBefore = process.cpuUsage();
const startedAt = performance.now();
const until = startedAt + seconds * 1000;
const work = async () => {
  while (performance.now() < until) {
    await argon2.verify(hash, "Correct-horse-battery-1");
    count++;
  }
};
await Promise.all(Array.from({ length: atOnce }, work));
const { user, system } = process.cpuUsage(cpuBefore);
const elapsed = (performance.now() - startedAt) / 1000;
process.stdout.write(JSON.stringify({ perSecond: count / elapsed, cpuMs: (user + system) / 1000 / count }));
