import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { buildBundledImage, imageName, loadImage } from "./lib/bundledImage";
import { engineOf } from "./lib/engineChoice";
import { pushedReference, pushImage } from "./lib/imagePush";
import { allows, checkReach, SwarmNode } from "./lib/swarmNodes";
import { parseConstraint } from "./lib/swarmTopology";
import { RegistryImage } from "./registryImage";
import { ImageDistribution } from "./swarmArgs";

export interface SwarmImageArgs {
  /** `bundled`, or a reference pinned by digest. */
  image: string;
  distribution: ImageDistribution;
  /** Constraints of the tasks that need the image; none for all nodes. */
  constraints: string[];
  nodes: pulumi.Output<SwarmNode[]>;
}

/** Who the server runs as in its image. */
export interface RegistryUser {
  id: string;
}

/** The registry server's image, on every node that will have a task or where all of them can pull it. */
export class SwarmImage extends pulumi.ComponentResource {
  /** What tasks name it by: its ID, which is the same on every node, or a reference with a digest. */
  public readonly reference: pulumi.Output<string>;
  /** Image ID of the bundled image on the manager's engine; empty for another one. */
  public readonly localId: pulumi.Output<string>;
  public readonly user: RegistryUser;
  /** Login that nodes pull with. */
  public readonly login: docker.types.input.ServiceAuth | undefined;

  constructor(name: string, args: SwarmImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("container-registry:index:SwarmImage", name, {}, opts);
    const { image, distribution } = args;
    const { repository, username } = distribution;
    const password = distribution.password === undefined ? undefined : pulumi.secret(distribution.password);
    this.login =
      username === undefined || password === undefined
        ? undefined
        : { serverAddress: (repository ?? image).split("/")[0] ?? "", username, password };

    if (image !== "bundled") {
      this.user = { id: "0" };
      this.localId = pulumi.output("");
      this.reference = pulumi.output(image);
    } else {
      this.user = { id: "65532" };
      const local = new RegistryImage(name, {}, { parent: this });
      this.localId = local.imageId;
      this.reference =
        repository === undefined
          ? this.loaded(name, local.imageId, args)
          : this.pushed(local.imageId, repository, username ?? "", password ?? pulumi.output(""));
    }
    this.registerOutputs({});
  }

  /** The image's ID, once all nodes have the image. */
  private loaded(name: string, imageId: pulumi.Output<string>, { nodes, constraints }: SwarmImageArgs): pulumi.Output<string> {
    const parsed = constraints.flatMap((each) => parseConstraint(each) ?? []);
    const reached = nodes.apply((known) => {
      const needing = known.filter((node) => allows(parsed, node));
      checkReach(needing);
      return needing;
    });
    return pulumi.all([imageId, reached]).apply(async ([id, needing]) => {
      if (!pulumi.runtime.isDryRun()) {
        const archive = await buildBundledImage();
        await Promise.all(
          needing.flatMap(({ engine }) => (engine === undefined ? [] : [loadImage(engine, archive, imageName(name, archive))])),
        );
      }
      return id;
    });
  }

  /** The reference by which nodes pull the image, once it is there. */
  private pushed(
    imageId: pulumi.Output<string>,
    repository: string,
    username: string,
    password: pulumi.Output<string>,
  ): pulumi.Output<string> {
    return pulumi.unsecret(
      pulumi.all([engineOf(this), imageId, password]).apply(async ([engine, id, plainPassword]) => {
        const archive = await buildBundledImage();
        return pulumi.runtime.isDryRun()
          ? ((await pushedReference(engine, id, repository)) ?? `${repository}:${archive.tag}`)
          : pushImage(engine, id, `${repository}:${archive.tag}`, { username, password: plainPassword });
      }),
    );
  }
}
