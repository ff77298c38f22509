import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { formerly } from "../args/formerly";
import { ImageBuild } from "../args/registry";
import { enginePlatform, printedBy } from "../docker/engine";
import { engineOf, onDockerEngine } from "../docker/engineChoice";
import { failure } from "../checks/failure";
import { checkedOut, gitContext } from "./gitContext";
import { baseArgument, basesFirst, dockerfileIn, dockerfileProblems, imageBuildProblems } from "./checks";
import { checkWhenKnown, knownNow, readArguments, throwProblems } from "../checks/inputs";
import { repositoryPrefixProblems } from "../checks/repositories";

/** The build argument that names the first tag's image; no Dockerfile declares an argument of that name. */
const firstArgument = "container-registry.first";

/** Images that are built, and the registry they are pushed to. */
export interface BuiltImagesArgs {
  /** Images to build and push; their order doesn't matter. */
  builds: ImageBuild[];
  /** What goes before an image's name: `localhost:5000`. The engine must trust that registry. */
  repositoryPrefix: pulumi.Input<string>;
  /** Who pushes. Default: the login that the docker command has stored for the registry, if any. */
  username?: pulumi.Input<string>;
  /** Password of `username`. Kept secret. */
  password?: pulumi.Input<string>;
}

/** Images that are built by a Docker engine and pushed to a registry; what has not changed is left alone. */
export class BuiltImages extends pulumi.ComponentResource {
  /** The pushed images by name, each as a reference with its digest: `localhost:5000/app@sha256:…`. */
  public readonly references: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: BuiltImagesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("container-registry:index:BuiltImages", name, {}, formerly("RegistryImages", onDockerEngine(name, opts)));
    args = readArguments("BuiltImages", args);
    throwProblems([...imageBuildProblems(args.builds), ...repositoryPrefixProblems(knownNow(args.repositoryPrefix))]);
    const platform = args.builds.some((image) => image.platform === undefined) ? engineOf(this).apply(enginePlatform) : undefined;
    const repositoryPrefix = checkWhenKnown(args.repositoryPrefix, repositoryPrefixProblems);
    const built: Record<string, pulumi.Output<string>> = {};
    for (const image of basesFirst(args.builds)) {
      const base = image.from === undefined ? undefined : built[image.from];
      const key = `builds[${args.builds.indexOf(image)}]`;
      built[image.name] = this.createImage(name, { ...args, repositoryPrefix }, image, key, {
        platform: image.platform ?? platform,
        base,
      });
    }
    this.references = pulumi.output(built);
    this.registerOutputs({ references: this.references });
  }

  /** Builds an image, pushes it under each of its tags, and returns the reference of the first. */
  private createImage(
    name: string,
    { repositoryPrefix, username, password }: BuiltImagesArgs,
    image: ImageBuild,
    key: string,
    found: { platform?: pulumi.Input<string>; base?: pulumi.Output<string> },
  ): pulumi.Output<string> {
    const context = this.contextFolder(image, key);
    const build = {
      context,
      dockerfile: pulumi.output(context).apply((folder) => dockerfileIn(folder, image)),
      platform: found.platform,
      args: {
        // Nobody should give a secret here, because the image's history may show it; but state need not show it too.
        ...Object.fromEntries(Object.entries(image.buildArgs ?? {}).map(([each, value]) => [each, pulumi.secret(value)])),
        ...(found.base === undefined ? {} : { [baseArgument]: found.base }),
      },
    };
    const registry = { username, password: password === undefined ? undefined : pulumi.secret(password) };
    const [first = "latest", ...others] = image.tags ?? [];
    const push = (tag: string, args: Record<string, pulumi.Input<string>>): docker.Image =>
      new docker.Image(
        `${name}-${image.name}:${tag}`,
        {
          imageName: pulumi.interpolate`${repositoryPrefix}/${image.name}:${tag}`,
          build: { ...build, args: { ...build.args, ...args } },
          registry,
        },
        { parent: this },
      );
    const pushed = push(first, {});
    // After the first build, the engine has every step in its cache, so the same image is pushed. It ignores an argument that the
    // Dockerfile does not declare; that argument makes the other tags follow if only the first one has changed.
    others.forEach((tag) => push(tag, { [firstArgument]: pushed.repoDigest }));
    return pushed.repoDigest;
  }

  /** The folder on this machine that has an image's context. */
  private contextFolder(image: ImageBuild, key: string): pulumi.Input<string> {
    const git = gitContext(image.context);
    if (git === undefined) {
      return image.context;
    }
    const folder = checkedOut(git).catch((error: unknown) => {
      throw failure(`${key}.context: ${image.context} could not be fetched: ${printedBy(error)}`);
    });
    return checkWhenKnown(folder, (resolved) => dockerfileProblems(key, image, resolved));
  }
}
