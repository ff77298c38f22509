import { Access, Authentication, GarbageCollection, Mirror, Resources, Tls, TlsMode, User } from "../args/registry";
import { Storage } from "../args/storage";
import { providedCertificateProblems, validity } from "./certificates";
import { garbageCollectionProblems } from "./garbageCollection";
import { hostPort, isDnsName, isIpAddress, isLoopback, isUnspecified } from "./hosts";
import { maximumPasswordBytes } from "../render/htpasswd";
import { plain } from "./inputs";
import { completeMirror, mirrorProblems } from "./mirror";
import { isWhole, unlimited, wholeNumbers } from "./numbers";
import { Problem, shown } from "./problems";
import { repositoriesProblems } from "./repositories";
import { dockerName, storageProblems } from "./storage";

/** Where clients reach the registry. */
export interface AddressSettings {
  hostname: string;
  port: number;
  bindAddress: string;
  allowInsecure: boolean;
}

/** A name or address that clients could use. */
export function hostnameProblems(key: string, hostname: string): Problem[] {
  return (!isDnsName(hostname) && !isIpAddress(hostname)) || isUnspecified(hostname)
    ? [
        {
          key,
          message: `${shown(hostname)} is not allowed; give the DNS name or IP address that clients use, without scheme, port or path`,
        },
      ]
    : [];
}

export function addressProblems(address: AddressSettings): Problem[] {
  const problems = hostnameProblems("hostname", address.hostname);
  problems.push(...wholeNumbers("", { port: address.port }, 1, 65535));
  if (!isIpAddress(address.bindAddress)) {
    problems.push({
      key: "bindAddress",
      message: `${shown(address.bindAddress)} is not allowed; give an IP address of the Docker host, 127.0.0.1, or 0.0.0.0 for all`,
    });
  }
  return problems;
}

/** Plain HTTP or no users: on loopback only, where nobody else can listen in, or by an explicit word. */
export function openProblems(key: string, what: string, remedy: string, address: AddressSettings): Problem[] {
  const open = [address.hostname, address.bindAddress].find((host) => !isLoopback(host));
  return open === undefined || address.allowInsecure
    ? []
    : [
        {
          key,
          message:
            `${what} is accepted on loopback addresses only, and ${hostPort(open, address.port)} is not one; ` +
            `${remedy}, use 127.0.0.1 and localhost, or set allowInsecure to true if you accept the risk`,
        },
      ];
}

const selfSignedOnly = ["validityDays", "renewBeforeDays", "generation", "caGeneration", "keepPreviousCa"] as const;
const providedOnly = ["certificate", "privateKey", "chain"] as const;

export function tlsProblems(tls: Tls, hostname: string): Problem[] {
  const mode = tls.mode ?? TlsMode.SelfSigned;
  const modes: string[] = Object.values(TlsMode);
  if (!modes.includes(mode)) {
    return [{ key: "tls.mode", message: `${shown(mode)} is not allowed; choose ${modes.join(", ")}` }];
  }
  const problems: Problem[] = [];
  const foreign = (keys: readonly (keyof Tls)[], home: TlsMode): void => {
    for (const key of keys.filter((each) => mode !== home && tls[each] !== undefined)) {
      problems.push({
        key: `tls.${key}`,
        message: `belongs to tls.mode "${home}", and tls.mode is "${mode}"; remove it or change the mode`,
      });
    }
  };
  foreign(selfSignedOnly, TlsMode.SelfSigned);
  foreign(providedOnly, TlsMode.Provided);

  if (mode === TlsMode.SelfSigned) {
    const { generation, caGeneration } = tls;
    const { validityDays, renewBeforeDays } = validity(tls);
    problems.push(...wholeNumbers("tls.", { validityDays }, 1, 3649));
    problems.push(...wholeNumbers("tls.", { generation, caGeneration }, 1, unlimited));
    if (tls.keepPreviousCa === true && (caGeneration ?? 1) < 2) {
      problems.push({ key: "tls.keepPreviousCa", message: "needs tls.caGeneration 2 or more; there is no CA before the first" });
    }
    if (!isWhole(renewBeforeDays, 0, Math.max(0, validityDays - 1))) {
      problems.push({
        key: "tls.renewBeforeDays",
        message: `${shown(renewBeforeDays)} is not allowed; give a whole number from 0 to one less than tls.validityDays (${validityDays})`,
      });
    }
  }
  if (mode === TlsMode.Provided) {
    for (const key of ["certificate", "privateKey"] as const) {
      if (tls[key] === undefined) {
        problems.push({ key: `tls.${key}`, message: `is missing; tls.mode "provided" needs it as PEM text` });
      }
    }
    const certificate = plain(tls.certificate);
    const privateKey = plain(tls.privateKey);
    const chain = tls.chain === undefined ? "" : plain(tls.chain);
    if (certificate !== undefined && privateKey !== undefined && chain !== undefined) {
      problems.push(...providedCertificateProblems({ certificate, privateKey, chain }, hostname, new Date()));
    }
  }
  return problems;
}

export function passwordProblem(key: string, password: string): Problem[] {
  const bytes = Buffer.byteLength(password);
  if (bytes === 0) {
    return [{ key, message: "is empty; leave it out to get a generated one" }];
  }
  if (bytes > maximumPasswordBytes) {
    return [{ key, message: `has ${bytes} bytes; bcrypt reads ${maximumPasswordBytes} at most` }];
  }
  return /[\0\r\n]/.test(password) ? [{ key, message: "has a line break or a zero byte; no client can send that" }] : [];
}

function isUserName(name: unknown): boolean {
  return typeof name === "string" && /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/.test(name);
}

/** What only the bundled server can do. */
function bundledOnlyProblems(settings: RegistrySettings): Problem[] {
  if (settings.image === "bundled") {
    return [];
  }
  const refused: [string, boolean][] = [
    ["anonymousPull", settings.anonymousPull],
    ["authentication", Object.keys(settings.authentication).length > 0],
    ...settings.users.flatMap((user, index): [string, boolean][] => [
      [`users[${index}].access`, user.access === Access.Pull],
      [`users[${index}].repositories`, user.repositories !== undefined],
      [`users[${index}].keepPrevious`, user.keepPrevious === true],
      [`users[${index}].previousPassword`, user.previousPassword !== undefined],
    ]),
  ];
  return refused
    .filter(([, asked]) => asked)
    .map(([key]) => ({
      key,
      message:
        "is a feature of the bundled server; the stock registry has one password and full access for every user. Use image bundled",
    }));
}

export function userProblems(users: readonly User[]): Problem[] {
  const problems: Problem[] = [];
  const first = new Map<string, number>();
  users.forEach((user, index) => {
    const key = `users[${index}]`;
    if (!isUserName(user.name)) {
      problems.push({
        key: `${key}.name`,
        message: `${shown(user.name)} is not allowed; use letters, digits and ._@+- (128 at most, a letter or digit first, no ":")`,
      });
    }
    const earlier = first.get(user.name);
    if (earlier !== undefined) {
      problems.push({
        key: `${key}.name`,
        message: `${shown(user.name)} is taken by users[${earlier}]; give every user a name of its own`,
      });
    }
    first.set(user.name, earlier ?? index);
    problems.push(...wholeNumbers(`${key}.`, { generation: user.generation }, 1, unlimited));
    for (const field of ["password", "previousPassword"] as const) {
      const password = plain(user[field]);
      if (password !== undefined) {
        problems.push(...passwordProblem(`${key}.${field}`, password));
      }
    }
    if (user.keepPrevious === true && user.password !== undefined) {
      problems.push({
        key: `${key}.keepPrevious`,
        message: `is for generated passwords; with a password of your own use ${key}.previousPassword`,
      });
    } else if (user.keepPrevious === true && (user.generation ?? 1) < 2) {
      problems.push({
        key: `${key}.keepPrevious`,
        message: `needs ${key}.generation 2 or more; there is no password before the first`,
      });
    }
    if (user.previousPassword !== undefined && user.password === undefined) {
      problems.push({
        key: `${key}.previousPassword`,
        message: `needs ${key}.password; for a generated password use ${key}.keepPrevious`,
      });
    }
    const accesses: string[] = Object.values(Access);
    if (user.access !== undefined && !accesses.includes(user.access)) {
      problems.push({ key: `${key}.access`, message: `${shown(user.access)} is not allowed; choose ${accesses.join(", ")}` });
    }
    problems.push(...repositoriesProblems(`${key}.repositories`, user.repositories));
  });
  return problems;
}

/** `[host[:port]/]path[:tag]@sha256:…`, see https://pkg.go.dev/github.com/distribution/reference. */
export const pinnedImage =
  /^(?:[A-Za-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?@sha256:[0-9a-f]{64}$/;

export function imageProblems(image: string): Problem[] {
  return image === "bundled" || pinnedImage.test(image)
    ? []
    : [
        {
          key: "image",
          message: `${shown(image)} is not allowed; use bundled, or a reference pinned by digest: name@sha256:<64 hex digits>`,
        },
      ];
}

/** The engine's objects are named after the component. */
export function nameProblems(name: string): Problem[] {
  return dockerName.test(name)
    ? []
    : [
        {
          key: "name",
          message: `${shown(name)} is not allowed as a component's name; use two or more letters, digits and _.-, a letter or digit first`,
        },
      ];
}

/** What is wrong with how a container runs. */
export function containerProblems(hosts: Record<string, string>, resources: Required<Resources>): Problem[] {
  return [
    ...hostsProblems(hosts),
    ...wholeNumbers("resources.", { memory: resources.memory }, 64, 1 << 20),
    ...wholeNumbers("resources.", { processes: resources.processes }, 64, 1 << 20),
  ];
}

function hostsProblems(hosts: Record<string, string>): Problem[] {
  return Object.entries(hosts).flatMap(([host, ip]) => [
    ...(isDnsName(host) ? [] : [{ key: `hosts.${host}`, message: "has a name that is not allowed; give a DNS name" }]),
    ...(isIpAddress(ip) || ip === "host-gateway"
      ? []
      : [
          {
            key: `hosts.${host}`,
            message: `${shown(ip)} is not allowed; give an IP address, or host-gateway for the Docker host`,
          },
        ]),
  ]);
}

/** Everything that a self-hosted registry is made from. */
export interface RegistrySettings extends AddressSettings {
  tls: Tls;
  users: readonly User[];
  storage: Storage;
  anonymousPull: boolean;
  authentication: Authentication;
  image: string;
  readOnly: boolean;
  /** None: on demand only. */
  garbageCollection: GarbageCollection | undefined;
  mirror?: Mirror;
  hosts: Record<string, string>;
  resources: Required<Resources>;
}

/** What is wrong with the mirror beside a registry. */
function besideProblems({ mirror, port, allowInsecure }: RegistrySettings): Problem[] {
  if (mirror === undefined) {
    return [];
  }
  return [
    ...mirrorProblems(mirror, allowInsecure),
    ...(completeMirror(mirror).port === port
      ? [{ key: "mirror.port", message: `${port} is the registry's own port; a mirror needs one of its own` }]
      : []),
  ];
}

/** All that is wrong with a self-hosted registry's settings, in the order of the keys. */
export function registryProblems(settings: RegistrySettings): Problem[] {
  const { cacheSeconds, cacheSize, failedLogins, failedLoginsWindowSeconds } = settings.authentication;
  return [
    ...addressProblems(settings),
    ...tlsProblems(settings.tls, settings.hostname),
    ...(settings.tls.mode === TlsMode.Off ? openProblems("tls.mode", '"off"', "choose another mode", settings) : []),
    ...userProblems(settings.users),
    ...(settings.users.length === 0 ? openProblems("users", "a registry without users", "add one", settings) : []),
    ...(settings.anonymousPull && settings.users.length === 0
      ? [{ key: "anonymousPull", message: "needs users; a registry without users lets everybody pull and push already" }]
      : []),
    ...wholeNumbers("authentication.", { cacheSeconds, failedLogins }, 0, 86_400),
    ...wholeNumbers("authentication.", { cacheSize, failedLoginsWindowSeconds }, 1, 1_000_000),
    ...bundledOnlyProblems(settings),
    ...storageProblems(settings.storage, settings.image),
    ...imageProblems(settings.image),
    ...garbageCollectionProblems(settings.garbageCollection, settings.image),
    ...besideProblems(settings),
    ...containerProblems(settings.hosts, settings.resources),
  ];
}
