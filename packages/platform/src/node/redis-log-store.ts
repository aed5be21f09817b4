import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import {
  keptEntries,
  keptHeadsMs,
  keptMs,
  keptRunMs,
  type LogStore,
  readLength,
  readLimit,
  type StoredEntry,
} from "../shared/event-log/log-store.ts";

const readStep = 32;

/** A topic's keys have their slot in common. */
const beginTopic = `
local function begin(head)
  if redis.call("EXISTS", head) == 0 then
    local now = redis.call("TIME")
    redis.call("SET", head, string.format("%.0f", (now[1] * 1000 + math.floor(now[2] / 1000)) * 1000))
  end
end`;

const headScript = script(
  1,
  `${beginTopic}
begin(KEYS[1])
redis.call("PEXPIRE", KEYS[1], ${keptHeadsMs})
return redis.call("GET", KEYS[1])`,
);

/**
 * ARGV: numbers to leave out, and of each entry its id and event. Each writer's last count is kept: what a stream already
 * has is told without reading it.
 */
const numberScript = script(
  3,
  `${beginTopic}
begin(KEYS[2])
local seq = redis.call("INCRBY", KEYS[2], ARGV[1])
local lasts = {}
for index = 2, #ARGV, 2 do
  local writer, count = string.match(ARGV[index], "^(.*):(%d+)$")
  lasts[writer] = lasts[writer] or tonumber(redis.call("HGET", KEYS[3], writer) or 0)
  if tonumber(count) > lasts[writer] then
    lasts[writer] = tonumber(count)
    seq = redis.call("INCR", KEYS[2])
    redis.call("XADD", KEYS[1], "MAXLEN", "~", ${keptEntries * 2}, string.format("%.0f-0", seq), "id", ARGV[index], "event", ARGV[index + 1])
  end
end
for writer, last in pairs(lasts) do redis.call("HSET", KEYS[3], writer, string.format("%.0f", last)) end
redis.call("PEXPIRE", KEYS[1], ${keptMs})
redis.call("PEXPIRE", KEYS[2], ${keptHeadsMs})
redis.call("PEXPIRE", KEYS[3], ${keptMs})
return seq`,
);

/** ARGV: the number of the last entry or nothing, and of each entry its number, id and event. Answers where the topic is then. */
const placeScript = script(
  1,
  `
local last = redis.call("XREVRANGE", KEYS[1], "+", "-", "COUNT", 1)[1]
local head = last and tonumber(string.match(last[1], "^%d+")) or -1
if ARGV[1] ~= "" and tonumber(ARGV[1]) ~= head then return head end
for index = 2, #ARGV, 3 do
  if tonumber(ARGV[index]) > head then
    redis.call("XADD", KEYS[1], ARGV[index] .. "-0", "id", ARGV[index + 1], "event", ARGV[index + 2])
    head = tonumber(ARGV[index])
  end
end
redis.call("PEXPIRE", KEYS[1], ${keptRunMs})
return head`,
);

/** A few entries at a time: how long they are is known when they are there. */
const readScript = script(
  2,
  `
local entries, length, from = {}, 0, ARGV[1]
repeat
  local some = redis.call("XRANGE", KEYS[1], from, "+", "COUNT", ${readStep})
  for _, entry in ipairs(some) do
    entries[#entries + 1] = entry
    length = length + #entry[2][4]
    if #entries == ${readLimit} or length >= ${readLength} then return { redis.call("GET", KEYS[2]), entries, 1 } end
  end
  from = #some == ${readStep} and "(" .. some[#some][1]
until not from
return { redis.call("GET", KEYS[2]), entries, 0 }`,
);

const commandTimeoutMs = 500;
const longestPauseMs = 1_000;

/** Streams with our own numbers; what is published only says where to look. */
export async function openRedisLogStore(shared: Redis, prefix: string): Promise<LogStore> {
  const retryStrategy = (times: number) => Math.min(times * 50, longestPauseMs);
  // A write that was not answered is repeated by the log above, which says so: repeated by the driver, it would be there twice.
  const client = shared.duplicate({
    enableAutoPipelining: true,
    autoResendUnfulfilledCommands: false,
    commandTimeout: commandTimeoutMs,
    retryStrategy,
  });
  // It subscribes anew below: the driver's own try has nobody who would hear of its failure, and that would end the process.
  const subscriber = shared.duplicate({
    autoResubscribe: false,
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    commandTimeout: undefined,
    retryStrategy,
  });
  const channel = `${prefix}:bell`;
  const entriesKey = (topic: string) => `${prefix}:{${topic}}`;
  const headKey = (topic: string) => `${prefix}:{${topic}}:head`;
  const writersKey = (topic: string) => `${prefix}:{${topic}}:writers`;
  for (const connection of [client, subscriber]) {
    // Without a listener a lost connection would end the process; the log above tells of it once.
    connection.on("error", () => {});
    await connection.connect().catch(() => {});
  }

  return {
    async write({ byStore, byWriter, message }) {
      const heads = byStore.map(async ({ topic, entries, hasHole }) => {
        const values = entries.flatMap(({ id, event }) => [id, event]);
        const keys = [entriesKey(topic), headKey(topic), writersKey(topic)];
        const seq = await numberScript(client, [...keys, hasHole ? "1" : "0", ...values]);
        return [topic, Number(seq)] as const;
      });
      const placed = byWriter.map(async ({ topic, after, entries }) => {
        const values = entries.flatMap(({ seq, id, event }) => [String(seq), id, event]);
        const head = Number(await placeScript(client, [entriesKey(topic), after === null ? "" : String(after), ...values]));
        return [topic, head < 0 ? null : head] as const;
      });
      // All of them, also when one fails: none may be under way when the next flush begins.
      await Promise.allSettled([...heads, ...placed]);
      const written = { heads: new Map(await Promise.all(heads)), stands: new Map(await Promise.all(placed)) };
      await client.publish(channel, message);
      return written;
    },

    read: (positions) =>
      Promise.all(
        positions.map(async ({ topic, after }) => {
          const answer = await readScript(client, [entriesKey(topic), headKey(topic), `${after + 1}-0`]);
          const [head, entries, isCut] = answer as [string | null, [string, string[]][], number];
          return { head: head === null ? null : Number(head), entries: entries.map(asStored), isCut: isCut === 1 };
        }),
      ),

    head: async (topic) => Number(await headScript(client, [headKey(topic)])),

    listen({ onMessage, onReady }) {
      subscriber.on("message", (_, message) => onMessage(message));
      const subscribe = () => {
        subscriber.subscribe(channel).then(onReady, () => {});
      };
      subscriber.on("ready", subscribe);
      if (subscriber.status === "ready") subscribe();
    },

    async sweep(topics) {
      await Promise.all(topics.map((topic) => client.unlink(entriesKey(topic))));
    },

    async close() {
      client.disconnect();
      subscriber.disconnect();
    },
  };
}

function asStored([key, [, id = "", , event = ""]]: [string, string[]]): StoredEntry {
  return { seq: Number(key.slice(0, key.indexOf("-"))), id, event };
}

/** Sent by its hash; in full where Redis does not know it. */
function script(keys: number, lua: string) {
  const hash = createHash("sha1").update(lua).digest("hex");
  return async (client: Redis, values: string[]): Promise<unknown> => {
    try {
      return await client.evalsha(hash, keys, ...values);
    } catch (error) {
      if (!String(error).includes("NOSCRIPT")) throw error;
      return client.eval(lua, keys, ...values);
    }
  };
}
