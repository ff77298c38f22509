/** How a server finds the Redis that it shares its cache of blob descriptors with. */
export interface RedisConfiguration {
  /** host:port. */
  address: string;
  password: string;
}

export const redisPort = 6379;

/** The configuration file of a Redis that is a cache and nothing else; `memory` is what its container may take, in MiB. */
export function renderRedisConfiguration(password: string, memory: number): string {
  return [
    `port ${redisPort}`,
    `requirepass ${quoted(password)}`,
    // The rest of the memory is for connections and for gaps that Redis can't use.
    `maxmemory ${Math.floor(memory * 0.75)}mb`,
    "maxmemory-policy allkeys-lru",
    'save ""',
    "appendonly no",
    "",
  ].join("\n");
}

/** A text as Redis reads it in its configuration file, whatever is in it. */
function quoted(text: string): string {
  return `"${[...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}"`;
}
