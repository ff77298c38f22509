import { renderRedisConfiguration } from "../../components/render/redis";

describe("the configuration of Redis", () => {
  it("keeps nothing on disk and within its memory", () => {
    expect(renderRedisConfiguration("ab", 128)).toBe(
      [
        "port 6379",
        'requirepass "\\x61\\x62"',
        "maxmemory 96mb",
        "maxmemory-policy allkeys-lru",
        'save ""',
        "appendonly no",
        "",
      ].join("\n"),
    );
  });

  it("has any password in one line", () => {
    const [line] = /^requirepass .*$/m.exec(renderRedisConfiguration('a"\n\\é', 64)) ?? [];
    expect(line).toBe('requirepass "\\x61\\x22\\x0a\\x5c\\xc3\\xa9"');
  });
});
