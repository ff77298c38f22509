import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { failure } from "../checks/failure";
import { buildBundledImage, ImageArchive, imageName, loadImage } from "../docker/bundledImage";
import { engineOf } from "../docker/engineChoice";
import { pushedReference, pushImage } from "../docker/imagePush";
import { allows, checkReach, onceItIsDown, processorFor, SwarmNode } from "./nodes";
import { parseConstraint, Topology } from "./topology";
import { ImageDistribution } from "../args/swarm";
import { serverUser } from "../render/names";

export interface SwarmImageArgs {
  /** `bundled`, or a reference pinned by digest. */
  image: string;
  distribution: ImageDistribution;
  /** Constraints of the tasks that need the image; none for all nodes. */
  constraints: string[];
  nodes: pulumi.Output<SwarmNode[]>;
  /** What the manager tries a store with, for which it needs the image too. */
  trial: Topology["trial"];
}

/** The bundled image on the engines that it is brought to. */
interface LoadedImage {
  name: string;
  /** Identifies its content. */
  tag: string;
}

/**
 * An address where no registry can be: to start a task from a tag, a node's engine asks the tag's registry first, and is refused at once.
 * With the image's ID it asks nobody, but an engine with the containerd image store has another ID than one without.
 */
const nowhere = "127.0.0.1:0";

/** The user that the server runs as in its image. */
export interface RegistryUser {
  id: string;
}

/** The registry server's image, on every node that will have a task or where all of them can pull it. */
export class SwarmImage extends pulumi.ComponentResource {
  /** The name by which tasks refer to it: a tag that nodes have loaded, or a reference with a digest. */
  public readonly reference: pulumi.Output<string>;
  /**
   * The name of the bundled image on the manager's engine; empty for another image. Not its ID: that would be kept in state, and another
   * manager may have another ID for it.
   */
  public readonly localName: pulumi.Output<string>;
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
      this.localName = pulumi.output("");
      this.reference = pulumi.output(image);
    } else {
      this.user = { id: serverUser };
      const loaded = this.loadOnNodes(name, args);
      const local = new docker.RemoteImage(
        name,
        // Swarm keeps containers of tasks that have ended: to the engine they still use the previous image.
        { name: loaded.name, forceRemove: true },
        { parent: this },
      );
      this.localName = local.name;
      this.reference =
        repository === undefined
          ? local.name
          : this.pushToRepository(local.name, loaded.tag, repository, username ?? "", password ?? pulumi.output(""));
    }
    this.registerOutputs({});
  }

  /** The image, once the manager has it, and the nodes that will have tasks, unless they pull it. */
  private loadOnNodes(name: string, { constraints, distribution, nodes, trial }: SwarmImageArgs): pulumi.Output<LoadedImage> {
    const parsed = constraints.flatMap((each) => parseConstraint(each) ?? []);
    return pulumi.all([engineOf(this), nodes]).apply(async ([manager, known]) => {
      const loading = distribution.repository === undefined ? known.filter((node) => allows(parsed, node)) : [];
      checkReach(loading);
      const archive = await buildBundledImage(manager, processorFor(known, parsed, manager, trial));
      const tagged = `${nowhere}/${imageName(name, archive)}`;
      if (!pulumi.runtime.isDryRun()) {
        // The manager may be one of the nodes.
        const others = loading.filter(({ engine }) => engine?.host !== manager.host);
        await Promise.all([loadImage(manager, archive, tagged), ...others.map((node) => loadOn(node, archive, tagged))]);
      }
      return { name: tagged, tag: archive.tag };
    });
  }

  /** The reference by which nodes pull the image, once it is there. Only a push tells its digest. */
  private pushToRepository(
    localName: pulumi.Output<string>,
    tag: pulumi.Output<string>,
    repository: string,
    username: string,
    password: pulumi.Output<string>,
  ): pulumi.Output<string> {
    return pulumi.unsecret(
      pulumi
        .all([engineOf(this), localName, tag, password])
        .apply(async ([engine, image, version, plainPassword]) =>
          pulumi.runtime.isDryRun()
            ? ((await pushedReference(engine, image, repository)) ?? pulumi.unknown)
            : pushImage(engine, image, `${repository}:${version}`, { username, password: plainPassword }),
        ),
    ) as pulumi.Output<string>;
  }
}

/** Makes a node load the image, if there is a way to it; an error names the node. */
export async function loadOn({ hostname, engine }: SwarmNode, archive: ImageArchive, name: string): Promise<void> {
  try {
    await (engine && loadImage(engine, archive, name));
  } catch (error) {
    throw failure(`The node ${hostname}: ${error instanceof Error ? error.message : String(error)}. ${onceItIsDown}`);
  }
}
