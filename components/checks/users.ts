import { Access, Authentication, User } from "../args/registry";
import { maximumPasswordBytes } from "../render/htpasswd";
import { knownNow } from "./inputs";
import { Problem, shown } from "./problems";
import { repositoriesProblems } from "./repositories";
import { inOneLine, oneOf, unlimited, when, wholeNumbers } from "./rules";

/** What is wrong with a password. Its type is checked too: nothing has checked what an Output or a promise holds. */
export function passwordProblem(key: string, password: unknown): Problem[] {
  if (typeof password !== "string") {
    return [{ key, message: "this value (not shown) is not allowed; give a text" }];
  }
  const bytes = Buffer.byteLength(password);
  if (bytes === 0) {
    return [{ key, message: "is empty; leave it out to get a generated one" }];
  }
  if (bytes > maximumPasswordBytes) {
    return [{ key, message: `has ${bytes} bytes; bcrypt reads ${maximumPasswordBytes} at most` }];
  }
  return inOneLine("", { [key]: password });
}

/** What is wrong with a hash. The server accepts what Apache's tool makes, but no cost that keeps a processor busy for long. */
export function passwordHashProblem(key: string, hash: unknown): Problem[] {
  const isBcrypt = typeof hash === "string" && /^\$2[aby]\$(0[4-9]|1[0-7])\$[./A-Za-z0-9]{53}$/.test(hash);
  return when(
    !isBcrypt,
    key,
    "this value (not shown) is no bcrypt hash of cost 4 to 17; make it with htpasswd -nB <user>, and give what follows the colon",
  );
}

function isUserName(name: unknown): boolean {
  return typeof name === "string" && /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/.test(name);
}

export function userProblems(users: readonly User[]): Problem[] {
  return users.flatMap((user, index) => {
    const key = `users[${index}]`;
    const first = users.findIndex(({ name }) => name === user.name);
    return [
      ...when(
        !isUserName(user.name),
        `${key}.name`,
        `${shown(user.name)} is not allowed; use letters, digits and ._@+- (128 at most, a letter or digit first, no ":")`,
      ),
      ...when(first < index, `${key}.name`, `${shown(user.name)} is taken by users[${first}]; give every user a name of its own`),
      ...wholeNumbers(`${key}.`, { generation: user.generation }, 1, unlimited),
      ...(user.passwordHash === undefined ? passwordsProblems(key, user) : hashProblems(key, user, index)),
      ...oneOf(`${key}.`, { access: user.access }, Object.values(Access)),
      ...repositoriesProblems(`${key}.repositories`, user.repositories),
    ];
  });
}

/** What is wrong with the passwords of a user, and with their combination with generated ones. */
function passwordsProblems(key: string, user: User): Problem[] {
  const { generation = 1, keepPrevious = false } = user;
  const own = user.password !== undefined;
  return [
    ...(["password", "previousPassword"] as const).flatMap((field) => {
      const password = knownNow(user[field]);
      return password === undefined ? [] : passwordProblem(`${key}.${field}`, password);
    }),
    ...when(
      keepPrevious && own,
      `${key}.keepPrevious`,
      `is for generated passwords; with a password of your own use ${key}.previousPassword`,
    ),
    ...when(
      keepPrevious && !own && generation < 2,
      `${key}.keepPrevious`,
      `needs ${key}.generation 2 or more; there is no password before the first`,
    ),
    ...when(
      user.previousPassword !== undefined && !own,
      `${key}.previousPassword`,
      `needs ${key}.password; for a generated password use ${key}.keepPrevious`,
    ),
  ];
}

/** A hash stands for itself: nothing can be generated from it. */
function hashProblems(key: string, user: User, index: number): Problem[] {
  const hash = knownNow(user.passwordHash);
  return [
    ...(hash === undefined ? [] : passwordHashProblem(`${key}.passwordHash`, hash)),
    ...when(
      index === 0,
      `${key}.passwordHash`,
      "is not for the first user, whose password the outputs tell and builds log in with; put a user with a password before",
    ),
    ...(["password", "generation", "keepPrevious", "previousPassword"] as const).flatMap((field) =>
      when(user[field] !== undefined, `${key}.${field}`, `does not go with ${key}.passwordHash; leave one of them out`),
    ),
  ];
}

const secondsOfDay = 86_400;
/** More logins than a server has to remember. */
const mostLogins = 1_000_000;

export function authenticationProblems(authentication: Authentication): Problem[] {
  const { cacheSeconds, cacheSize, failedLogins, failedLoginsWindowSeconds } = authentication;
  return [
    ...wholeNumbers("authentication.", { cacheSeconds }, 0, secondsOfDay),
    ...wholeNumbers("authentication.", { cacheSize }, 1, mostLogins),
    ...wholeNumbers("authentication.", { failedLogins }, 0, mostLogins),
    ...wholeNumbers("authentication.", { failedLoginsWindowSeconds }, 1, secondsOfDay),
  ];
}
