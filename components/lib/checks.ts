import * as path from "path";
import { FilesystemStorage, Resources, Storage, Tls, TlsMode, User } from "../args";
import { providedCertificateProblems } from "./certificates";
import { hostPort, isDnsName, isIpAddress, isLoopback, isUnspecified } from "./hosts";
import { maximumPasswordBytes } from "./htpasswd";
import { plain } from "./inputs";
import { Problem, shown } from "./problems";

/** Where clients reach the registry. */
export interface AddressSettings {
  hostname: string;
  port: number;
  bindAddress: string;
  allowInsecure: boolean;
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** Adds a problem for each number that is given and not a whole one from `least` to `most`. */
function wholeNumbers(prefix: string, values: Record<string, number | undefined>, least: number, most: number): Problem[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && !isWhole(value, least, most))
    .map(([key, value]) => ({
      key: `${prefix}${key}`,
      message: `${shown(value)} is not allowed; give a whole number from ${least} to ${most}`,
    }));
}

export function addressProblems(address: AddressSettings): Problem[] {
  const problems: Problem[] = [];
  if ((!isDnsName(address.hostname) && !isIpAddress(address.hostname)) || isUnspecified(address.hostname)) {
    problems.push({
      key: "hostname",
      message: `${shown(address.hostname)} is not allowed; give the DNS name or IP address that clients use, without scheme, port or path`,
    });
  }
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
function openProblems(key: string, what: string, address: AddressSettings): Problem[] {
  const open = [address.hostname, address.bindAddress].find((host) => !isLoopback(host));
  return open === undefined || address.allowInsecure
    ? []
    : [
        {
          key,
          message:
            `${what} is accepted on loopback addresses only, and ${hostPort(open, address.port)} is not one; ` +
            `turn it on, use 127.0.0.1 and localhost, or set allowInsecure to true if you accept the risk`,
        },
      ];
}

const selfSignedOnly = ["validityDays", "renewBeforeDays", "generation"] as const;
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
    const { validityDays = 365, renewBeforeDays = Math.min(30, validityDays - 1), generation } = tls;
    problems.push(...wholeNumbers("tls.", { validityDays }, 1, 3649));
    problems.push(...wholeNumbers("tls.", { generation }, 1, Number.MAX_SAFE_INTEGER));
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
  return typeof name === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
}

export function userProblems(users: readonly User[]): Problem[] {
  const problems: Problem[] = [];
  const first = new Map<string, number>();
  users.forEach((user, index) => {
    const key = `users[${index}]`;
    if (!isUserName(user.name)) {
      problems.push({
        key: `${key}.name`,
        message: `${shown(user.name)} is not allowed; use letters, digits and ._- (64 at most, a letter or digit first, no ":")`,
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
    problems.push(...wholeNumbers(`${key}.`, { generation: user.generation }, 1, Number.MAX_SAFE_INTEGER));
    const password = plain(user.password);
    if (password !== undefined) {
      problems.push(...passwordProblem(`${key}.password`, password));
    }
  });
  return problems;
}

/** What the engine takes as the name of a container or volume. */
const dockerName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

function filesystemProblems(filesystem: FilesystemStorage): Problem[] {
  const problems: Problem[] = [];
  const add = (key: keyof FilesystemStorage, message: string): void =>
    void problems.push({ key: `storage.filesystem.${key}`, message });
  const { hostPath, volume, volumeDriver, volumeOptions } = filesystem;
  if (hostPath !== undefined) {
    for (const key of (["volume", "volumeDriver", "volumeOptions"] as const).filter((each) => filesystem[each] !== undefined)) {
      add(key, `cannot stand beside storage.filesystem.hostPath; images are kept in a volume or in a folder of the host`);
    }
    if (
      !path.posix.isAbsolute(hostPath) ||
      path.posix.normalize(hostPath) !== hostPath ||
      hostPath === "/" ||
      hostPath.includes(":")
    ) {
      add(
        "hostPath",
        `${shown(hostPath)} is not allowed; give the absolute path of a folder on the Docker host, without "..", ":" or a "/" at the end`,
      );
    }
  }
  if (volume !== undefined && !dockerName.test(volume)) {
    add(
      "volume",
      `${shown(volume)} is not allowed; a volume's name has letters, digits and _.- (for a folder of the host use hostPath)`,
    );
  }
  if (volumeDriver === "") {
    add("volumeDriver", `is empty; give the name of an installed volume plugin, or leave it out for "local"`);
  }
  if (volumeOptions !== undefined && volume === undefined && volumeDriver === undefined && hostPath === undefined) {
    add("volumeOptions", `needs storage.filesystem.volume or storage.filesystem.volumeDriver beside it`);
  }
  return [...problems, ...wholeNumbers("storage.filesystem.", { maxThreads: filesystem.maxThreads }, 25, 100_000)];
}

/** The storage drivers there are, each with the check of its options. */
const drivers: Record<string, (storage: Storage) => Problem[]> = {
  filesystem: (storage) => filesystemProblems(storage.filesystem ?? {}),
};

export function storageProblems(storage: Storage): Problem[] {
  const driver = storage.driver ?? "filesystem";
  const check = Object.hasOwn(drivers, driver) ? drivers[driver] : undefined;
  if (check === undefined) {
    return [{ key: "storage.driver", message: `${shown(driver)} is not allowed; choose ${Object.keys(drivers).join(", ")}` }];
  }
  const foreign = Object.keys(drivers).filter((each) => each !== driver && Object.hasOwn(storage, each));
  return [
    ...foreign.map((each) => ({
      key: `storage.${each}`,
      message: `belongs to storage.driver "${each}", and storage.driver is "${driver}"`,
    })),
    ...check(storage),
  ];
}

/** `[host[:port]/]path[:tag]@sha256:…`, see https://pkg.go.dev/github.com/distribution/reference. */
const pinnedImage =
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
          message: `${shown(name)} is not allowed as a component's name; use letters, digits and _.- (a letter or digit first)`,
        },
      ];
}

/** Everything that a self-hosted registry is made from. */
export interface RegistrySettings extends AddressSettings {
  tls: Tls;
  users: readonly User[];
  storage: Storage;
  image: string;
  resources: Required<Resources>;
}

/** All that is wrong with a self-hosted registry's settings, in the order of the configuration table. */
export function registryProblems(settings: RegistrySettings): Problem[] {
  return [
    ...addressProblems(settings),
    ...tlsProblems(settings.tls, settings.hostname),
    ...(settings.tls.mode === TlsMode.Off ? openProblems("tls.mode", '"off"', settings) : []),
    ...userProblems(settings.users),
    ...(settings.users.length === 0 ? openProblems("users", "a registry without users", settings) : []),
    ...storageProblems(settings.storage),
    ...imageProblems(settings.image),
    ...wholeNumbers("resources.", { memory: settings.resources.memory }, 64, 1 << 20),
    ...wholeNumbers("resources.", { processes: settings.resources.processes }, 64, 1 << 20),
  ];
}
