import { createHash } from "crypto";
import * as bcrypt from "bcryptjs";
import * as fc from "fast-check";
import { Access } from "../../components";
import { RegistryUsers } from "../../components/selfHosted/registryUsers";
import { bcryptHash, maximumPasswordBytes, renderHtpasswd, UsersFile } from "../../components/render/htpasswd";
import { mocked, valueOf } from "../support/mocks";

const salt = Buffer.alloc(16, 7).toString("base64");

function render(changes: Partial<UsersFile>): string {
  return renderHtpasswd({ entries: [], permissions: [], anonymousPull: false, ...changes });
}

function linesOf(file: string): string[] {
  expect(file.endsWith("\n")).toBe(true);
  return file.slice(0, -1).split("\n");
}

describe("the hash of a password", () => {
  it("is the same on every run, and another with another salt", async () => {
    const hash = await bcryptHash("correct horse", salt);
    expect(hash).toMatch(/^\$2b\$10\$[./A-Za-z0-9]{53}$/);
    expect(await bcryptHash("correct horse", salt)).toBe(hash);
    expect(await bcryptHash("correct horse", Buffer.alloc(16, 8).toString("base64"))).not.toBe(hash);
  });

  it("is verified by that password alone, whatever its letters", async () => {
    const password = fc
      .oneof(fc.string({ unit: "grapheme", minLength: 1 }), fc.string({ unit: "binary", minLength: 1 }))
      .filter(
        (text) => Buffer.from(text).toString() === text && !text.includes("\0") && Buffer.byteLength(text) < maximumPasswordBytes,
      );
    await fc.assert(
      fc.asyncProperty(password, fc.uint8Array({ minLength: 16, maxLength: 16 }), async (text, bytes) => {
        const hash = await bcryptHash(text, Buffer.from(bytes).toString("base64"));
        expect(await bcrypt.compare(text, hash)).toBe(true);
        expect(await bcrypt.compare(`${text}x`, hash)).toBe(false);
      }),
      { numRuns: 8 },
    );
  });

  it("has all 72 bytes in it that bcrypt reads", async () => {
    for (const longest of ["x".repeat(72), "é".repeat(36), "🔑".repeat(18)]) {
      expect(Buffer.byteLength(longest)).toBe(maximumPasswordBytes);
      const hash = await bcryptHash(longest, salt);
      expect(await bcrypt.compare(longest, hash)).toBe(true);
      expect(await bcrypt.compare(longest.slice(0, -1), hash)).toBe(false);
    }
  });
});

describe("the users file", () => {
  it("is this", () => {
    expect(
      `\n${render({
        entries: [
          { name: "bob", hash: "$2b$10$bob" },
          { name: "alice", hash: "$2b$10$current" },
          { name: "alice", hash: "$2b$10$previous" },
        ],

        permissions: [
          { name: "bob", access: Access.Pull, repositories: ["team-a/*", "base"] },
          { name: "ci", access: Access.PushPull, repositories: ["*"] },
        ],

        anonymousPull: true,
      })}`,
    ).toMatchInlineSnapshot(`
      "
      #!sha256 93836d3321ba795d3e6fc4000ce30ba4f4162f043a8956488143e2ba2cca18c8
      #!anonymous pull
      #!access bob pull team-a/* base
      #!access ci push-pull *
      alice:$2b$10$current
      alice:$2b$10$previous
      bob:$2b$10$bob
      "
    `);
  });

  it("is there without users too", () => {
    expect(linesOf(render({}))).toEqual([`#!sha256 ${createHash("sha256").update("").digest("hex")}`]);
  });

  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,10}$/);
  const entries = fc.uniqueArray(fc.record({ name, hash: fc.stringMatching(/^\$2b\$10\$[./A-Za-z0-9]{53}$/) }), {
    selector: (entry) => entry.name,
  });

  it("has the checksum of all that follows its first line", () => {
    fc.assert(
      fc.property(entries, fc.boolean(), (users, anonymousPull) => {
        const file = render({ entries: users, anonymousPull });
        const [first = "", ...rest] = linesOf(file);
        const body = rest.map((line) => `${line}\n`).join("");
        expect(first).toBe(`#!sha256 ${createHash("sha256").update(body).digest("hex")}`);
      }),
    );
  });

  it("has a line for every user, and is the same whatever their order", () => {
    fc.assert(
      fc.property(entries, (users) => {
        const file = render({ entries: users });
        expect(render({ entries: [...users].reverse() })).toBe(file);
        expect(linesOf(file).slice(1).sort()).toEqual(users.map((user) => `${user.name}:${user.hash}`).sort());
      }),
    );
  });
});

it("has the same line for a password that becomes the previous one: tokens are good as long as their line is there", async () => {
  const salts = (name: string): object => ({ base64: createHash("md5").update(name).digest("base64") });
  const hashes = async (passwords: object): Promise<string[]> => {
    const { result } = await mocked(() => new RegistryUsers("users", { users: [{ name: "alice", ...passwords }] }), {
      resources: { "random:index/randomBytes:RandomBytes": (name) => ({ ...salts(name) }) },
    });
    return linesOf((await valueOf(result.htpasswd)).value).slice(1);
  };
  const [before = "", ...none] = await hashes({ password: "old" });
  const after = await hashes({ password: "new", previousPassword: "old" });
  expect(none).toEqual([]);
  expect(after).toHaveLength(2);
  expect(after).toContain(before);
});
