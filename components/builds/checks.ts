import * as fs from "fs";
import * as path from "path";
import { Access, ImageBuild, User } from "../args/registry";
import { isAbove, whyNo } from "./files";
import { gitContext } from "./gitContext";
import { Ignored, ignoredIn } from "./ignored";
import { Problem, shown } from "../checks/problems";
import { names, repositoryName } from "../checks/repositories";
import { when } from "../checks/rules";

/** The build argument with which an image gets the reference of the image that it is built on. */
export const baseArgument = "BASE";

/** A tag by the distribution specification. */
const tagName = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
/** The name of an ARG in a Dockerfile ends at any of these characters. */
const argumentName = /^[^\s=\p{Cc}]+$/u;
const platformName = /^[a-z0-9]+\/[a-z0-9]+(\/[a-z0-9]+)?$/;

/** The images in the order in which they can be built: each after the one it is built on. */
export function basesFirst(images: readonly ImageBuild[]): ImageBuild[] {
  const from = fromByName(images);
  const below = new Map(images.map((image) => [image, basesOf(image, from).size]));
  return [...images].sort((a, b) => (below.get(a) ?? 0) - (below.get(b) ?? 0));
}

/** What each image is built on, by the image's name; the first image of a name counts. */
function fromByName(images: readonly ImageBuild[]): Map<string, string | undefined> {
  return new Map(images.map(({ name, from }): [string, string | undefined] => [name, from]).reverse());
}

/** The names of the images that one is built on, the nearest first; a circle ends where it closes. */
function basesOf(image: ImageBuild, fromOf: ReadonlyMap<string, string | undefined>): Set<string> {
  const bases = new Set<string>();
  for (let next = image.from; next !== undefined && !bases.has(next); next = fromOf.get(next)) {
    bases.add(next);
  }
  return bases;
}

/** What is wrong with a list of images; folders on this machine are looked into. */
export function imageBuildProblems(images: readonly ImageBuild[]): Problem[] {
  const from = fromByName(images);
  const first = new Map(images.map(({ name }, index): [string, number] => [name, index]).reverse());
  return images.flatMap((image, index) => {
    const key = `builds[${index}]`;
    return [
      ...nameProblems(`${key}.name`, image, index, first.get(image.name) ?? index),
      ...contextProblems(key, image),
      ...argumentProblems(key, image),
      ...when(
        image.platform !== undefined && !platformName.test(image.platform),
        `${key}.platform`,
        `${shown(image.platform)} is not allowed; give one such as linux/arm64`,
      ),
      ...tagProblems(`${key}.tags`, image.tags),
      ...baseProblems(`${key}.from`, image, from),
    ];
  });
}

/** Why a registry of our own would refuse the images: its first user pushes them. */
export function refusedPushProblems(
  images: readonly ImageBuild[],
  registry: { readOnly?: boolean; users?: readonly User[] },
): Problem[] {
  const pusher = registry.users?.[0];
  if (registry.readOnly === true) {
    return when(images.length !== 0, "builds", "cannot be pushed while readOnly is true; remove one of them");
  }
  const allowed = ({ name }: ImageBuild): boolean =>
    pusher === undefined ||
    (pusher.access !== Access.Pull && (pusher.repositories?.some((pattern) => names(pattern, name)) ?? true));
  return images.flatMap((image, index) =>
    when(
      !allowed(image),
      `builds[${index}].name`,
      `${shown(image.name)} is pushed by users[0], who may not; put a user first who may push there`,
    ),
  );
}

/** `first` is the index of the first image of that name. */
function nameProblems(key: string, { name }: ImageBuild, index: number, first: number): Problem[] {
  if (!repositoryName.test(name)) {
    return [{ key, message: `${shown(name)} is not allowed; give a repository such as team-a/app, without registry and tag` }];
  }
  return when(first < index, key, `${shown(name)} is taken by builds[${first}]; for another tag of one image use its tags`);
}

function argumentProblems(key: string, { buildArgs = {}, from }: ImageBuild): Problem[] {
  return [
    ...when(
      from !== undefined && baseArgument in buildArgs,
      `${key}.buildArgs.${baseArgument}`,
      `is set by ${key}.from; remove one of them`,
    ),
    ...Object.keys(buildArgs).flatMap((name) =>
      when(
        !argumentName.test(name),
        `${key}.buildArgs`,
        `the name ${shown(name)} is not allowed; give one that ARG can declare, without spaces and "="`,
      ),
    ),
  ];
}

function contextProblems(key: string, image: ImageBuild): Problem[] {
  const { context } = image;
  const git = gitContext(context);
  if (git === undefined) {
    const reason = whyNo("folder", context);
    return reason === undefined
      ? [...dockerfileProblems(key, image, context), ...ignoreProblems(key, image)]
      : [
          {
            key: `${key}.context`,
            message: `${shown(context)} is not a folder that can be read here (${process.cwd()}): ${reason}; give one, or a Git URL such as https://example.com/app.git#main`,
          },
        ];
  }
  if (/^https?:\/\/[^/]*@/.test(git.url)) {
    return [
      {
        key: `${key}.context`,
        message: "has a user or token in its URL, where it isn't secret; leave it to git's credential helper, or use SSH",
      },
    ];
  }
  if (/\p{Cc}/u.test(context) || (/^https?:/.test(git.url) && /\s/.test(git.url))) {
    const message = `${shown(context)} is not allowed; give a URL without line breaks, and with %20 for a space`;
    return [{ key: `${key}.context`, message }];
  }
  const escapes = isAbove(path.normalize(git.folder));
  return when(
    git.ref.startsWith("-") || escapes,
    `${key}.context`,
    `${shown(image.context)} is not allowed; give URL#REF:FOLDER, the folder inside the repository`,
  );
}

/** What is wrong with the ignore file of a context that is a folder on this machine. */
function ignoreProblems(key: string, image: ImageBuild): Problem[] {
  try {
    const ignored = ignoredIn(image.context, dockerfileIn(image.context, image));
    return stateProblems(key, image, process.cwd(), ignored);
  } catch (error) {
    return [{ key: `${key}.context`, message: (error as Error).message }];
  }
}

/**
 * What is wrong with a context that contains a program's folder: `npm start` keeps a passphrase and the state of stacks there, and
 * anyone who pulls the image would have them.
 */
function stateProblems(key: string, image: ImageBuild, program: string, ignored: Ignored): Problem[] {
  const state = path.join(program, ".quickstart");
  const inside = path.relative(fs.realpathSync(image.context), fs.realpathSync(program));
  if (isAbove(inside) || !fs.existsSync(state)) {
    return [];
  }
  const folder = path.join(inside, ".quickstart");
  return when(
    ["passphrase", "state/.pulumi/stacks/a/a.json"].some((file) => !ignored(path.join(folder, file))),
    `${key}.context`,
    `${shown(image.context)} has the passphrase and the state of your stacks in ${folder}; name it in .dockerignore`,
  );
}

/** What is wrong with the Dockerfile of an image whose context is a folder on this machine. */
export function dockerfileProblems(key: string, image: ImageBuild, folder: string): Problem[] {
  const dockerfile = dockerfileIn(folder, image);
  const reason = whyNo("file", dockerfile);
  if (reason !== undefined) {
    const what = image.dockerfile === undefined ? "is missing and" : `${shown(image.dockerfile)} is not allowed:`;
    const message = `${what} there is no file ${shown(dockerfile)} that can be read: ${reason}; give its path inside the context`;
    return [{ key: `${key}.dockerfile`, message }];
  }
  if (isAbove(path.relative(fs.realpathSync(folder), fs.realpathSync(dockerfile)))) {
    const message = `${shown(image.dockerfile ?? "Dockerfile")} is not allowed: it is outside the context; give its path inside the context`;
    return [{ key: `${key}.dockerfile`, message }];
  }
  const argument = new RegExp(`^\\s*ARG\\s(.*\\s)?${baseArgument}\\b`, "im");
  return when(
    image.from !== undefined && !argument.test(fs.readFileSync(dockerfile, "utf8")),
    `${key}.from`,
    `${shown(image.from)} would not be used: ${dockerfile} has no "ARG ${baseArgument}"; begin it with ARG ${baseArgument} and FROM \${${baseArgument}}`,
  );
}

/** Where the Dockerfile is. */
export function dockerfileIn(folder: string, image: ImageBuild): string {
  return path.join(folder, image.dockerfile ?? "Dockerfile");
}

function tagProblems(key: string, tags: readonly string[] = ["latest"]): Problem[] {
  return [
    ...when(tags.length === 0, key, "is empty; give a tag, or leave it out for latest"),
    ...tags.flatMap((tag, at) =>
      !tagName.test(tag)
        ? [{ key: `${key}[${at}]`, message: `${shown(tag)} is not allowed; use letters, digits and ._- (128 at most)` }]
        : when(tags.indexOf(tag) < at, `${key}[${at}]`, `${shown(tag)} is there already`),
    ),
  ];
}

function baseProblems(key: string, image: ImageBuild, fromOf: ReadonlyMap<string, string | undefined>): Problem[] {
  const { from } = image;
  if (from === undefined) {
    return [];
  }
  if (!fromOf.has(from)) {
    const others = [...fromOf.keys()].filter((name) => name && name !== image.name).reverse();
    return [
      {
        key,
        message: `${shown(from)} is not another image of this list${others.length === 0 ? "" : `; choose ${others.join(", ")}`}`,
      },
    ];
  }
  const bases = basesOf(image, fromOf);
  return when(
    bases.has(image.name),
    key,
    `${shown(from)} is built on this image itself (${[image.name, ...bases].join(" from ")}); one of them must go without`,
  );
}
