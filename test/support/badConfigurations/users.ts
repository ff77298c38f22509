import { BadConfiguration } from "./badConfiguration";

export const badUsers: BadConfiguration[] = [
  {
    title: "no users beyond loopback",
    config: { hostname: "192.0.2.1", bindAddress: "192.0.2.1", users: [] },
    problems: [
      "users: a registry without users is accepted on loopback addresses only, and 192.0.2.1:5000 is not one; add one, use 127.0.0.1 and localhost, or set allowInsecure to true if you accept the risk",
    ],
  },
  {
    title: "a text for users",
    config: { users: "admin" },
    problems: ["users: a text is not allowed; give a list, item by item with pulumi config set --path 'users[0]…'"],
  },
  {
    title: "a text for a user",
    config: { users: ["admin"] },
    problems: [
      "users[0]: a text is not allowed; give its parts name, password, passwordHash, generation, keepPrevious, previousPassword, access, repositories with pulumi config set --path 'users[0].<part>'",
    ],
  },
  {
    title: "a user without a name",
    config: { users: [{ password: "x" }] },
    problems: ["users[0].name: is missing"],
  },
  {
    title: "a second user without the first",
    config: { users: [null, { name: "ci" }] },
    problems: [
      "users[0]: is missing, and a list replaces its default; give its parts name, password, passwordHash, generation, keepPrevious, previousPassword, access, repositories with pulumi config set --path 'users[0].<part>'",
    ],
  },
  {
    title: "a colon in a user's name",
    config: { users: [{ name: "a:b" }] },
    problems: [
      'users[0].name: "a:b" is not allowed; use letters, digits and ._@+- (128 at most, a letter or digit first, no ":")',
    ],
  },
  {
    title: "two users of one name",
    config: { users: [{ name: "a" }, { name: "b" }, { name: "a" }] },
    problems: ['users[2].name: "a" is taken by users[0]; give every user a name of its own'],
  },
  {
    title: "a mistyped key of a user",
    config: { users: [{ name: "a", passwrod: "MARKER" }] },
    problems: ["users[0].passwrod: unknown key; did you mean password?"],
  },
  {
    title: "an empty password",
    config: { users: [{ name: "a", password: "" }] },
    problems: ["users[0].password: is empty; leave it out to get a generated one"],
  },
  {
    title: "a password that bcrypt would cut",
    config: { users: [{ name: "a", password: "é".repeat(37) }] },
    problems: ["users[0].password: has 74 bytes; bcrypt reads 72 at most"],
  },
  {
    title: "a password of two lines",
    config: { users: [{ name: "a", password: "a\nb" }] },
    problems: ["users[0].password: has a line break or a zero byte; no client can send that"],
  },
  {
    title: "generation 0 of a user",
    config: { users: [{ name: "a", generation: 0 }] },
    problems: ["users[0].generation: 0 is not allowed; give a whole number of 1 or more"],
  },
  {
    title: "the password before the first",
    config: { users: [{ name: "a", keepPrevious: true }] },
    problems: ["users[0].keepPrevious: needs users[0].generation 2 or more; there is no password before the first"],
  },
  {
    title: "a generated password beside a given one",
    config: { users: [{ name: "a", password: "p", keepPrevious: true }] },
    problems: ["users[0].keepPrevious: is for generated passwords; with a password of your own use users[0].previousPassword"],
  },
  {
    title: "a previous password without a current one",
    config: { users: [{ name: "a", previousPassword: "p" }] },
    problems: ["users[0].previousPassword: needs users[0].password; for a generated password use users[0].keepPrevious"],
  },
  {
    title: "a hash that is not bcrypt",
    config: { users: [{ name: "a" }, { name: "b", passwordHash: "$apr1$MARKER" }] },
    problems: [
      "users[1].passwordHash: this value (not shown) is no bcrypt hash of cost 4 to 17; make it with htpasswd -nB <user>, and give what follows the colon",
    ],
  },
  {
    title: "a hash that takes minutes to check",
    config: { users: [{ name: "a" }, { name: "b", passwordHash: `$2y$18$${"a".repeat(53)}` }] },
    problems: [
      "users[1].passwordHash: this value (not shown) is no bcrypt hash of cost 4 to 17; make it with htpasswd -nB <user>, and give what follows the colon",
    ],
  },
  {
    title: "a hash of the first user",
    config: { users: [{ name: "a", passwordHash: `$2y$05$${"a".repeat(53)}` }] },
    problems: [
      "users[0].passwordHash: is not for the first user, whose password the outputs tell and builds log in with; put a user with a password before",
    ],
  },
  {
    title: "a hash beside a password",
    config: { users: [{ name: "a" }, { name: "b", passwordHash: `$2y$05$${"a".repeat(53)}`, password: "p" }] },
    problems: ["users[1].password: does not go with users[1].passwordHash; leave one of them out"],
  },
  {
    title: "passwords of before beside a hash",
    config: {
      users: [
        { name: "a" },
        { name: "b", passwordHash: `$2y$05$${"a".repeat(53)}`, previousPassword: "p" },
        { name: "c", passwordHash: `$2y$05$${"a".repeat(53)}`, keepPrevious: true },
      ],
    },
    problems: [
      "users[1].previousPassword: does not go with users[1].passwordHash; leave one of them out",
      "users[2].keepPrevious: does not go with users[2].passwordHash; leave one of them out",
    ],
  },
  {
    title: "an unknown access",
    config: { users: [{ name: "a", access: "push" }] },
    problems: ['users[0].access: "push" is not allowed; choose push-pull, pull'],
  },
  {
    title: "no repository",
    config: { users: [{ name: "a", repositories: [] }] },
    problems: ["users[0].repositories: is empty; name repositories, or leave it out for all"],
  },
  {
    title: "a pattern that no repository has",
    config: { users: [{ name: "a", repositories: ["Team/*", "*/app", "team-a/app", "a..b"] }] },
    problems: [
      'users[0].repositories[0]: "Team/*" is not allowed; give a repository such as team-a/app, a prefix such as team-a/*, or *',
      'users[0].repositories[1]: "*/app" is not allowed; give a repository such as team-a/app, a prefix such as team-a/*, or *',
      'users[0].repositories[3]: "a..b" is not allowed; give a repository such as team-a/app, a prefix such as team-a/*, or *',
    ],
  },
  {
    title: "anonymous pull without users",
    config: { users: [], anonymousPull: true },
    problems: ["anonymousPull: needs users; a registry without users lets everybody pull and push already"],
  },
  {
    title: "a negative time",
    config: { authentication: { cacheSeconds: -1 } },
    problems: ["authentication.cacheSeconds: -1 is not allowed; give a whole number from 0 to 86400"],
  },
  {
    title: "a window of no time",
    config: { authentication: { failedLoginsWindowSeconds: 0, cacheSize: 0 } },
    problems: [
      "authentication.cacheSize: 0 is not allowed; give a whole number from 1 to 1000000",
      "authentication.failedLoginsWindowSeconds: 0 is not allowed; give a whole number from 1 to 86400",
    ],
  },
  {
    title: "more failed logins and a longer window than there can be",
    config: { authentication: { failedLogins: 1_000_001, failedLoginsWindowSeconds: 86_401 } },
    problems: [
      "authentication.failedLogins: 1000001 is not allowed; give a whole number from 0 to 1000000",
      "authentication.failedLoginsWindowSeconds: 86401 is not allowed; give a whole number from 1 to 86400",
    ],
  },
];
