import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { formerly } from "../args/formerly";
import { buildBundledImage, imageName, loadImage } from "../docker/bundledImage";
import { imageProblems } from "../checks/image";
import { engineOf, onDockerEngine } from "../docker/engineChoice";
import { readArguments, throwProblems } from "../checks/inputs";

/** Which server image. */
export interface ServerImageArgs {
  /** `bundled`, or a reference pinned by digest (`name@sha256:…`). Default: `bundled`. */
  image?: string;
}

/** The registry server's image on a Docker engine: the bundled one, built here and loaded, or one that is pulled. */
export class ServerImage extends pulumi.ComponentResource {
  /** Image ID (`sha256:…`). */
  public readonly imageId: pulumi.Output<string>;

  constructor(name: string, args: ServerImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("container-registry:index:ServerImage", name, {}, formerly("RegistryImage", onDockerEngine(name, opts)));
    const reference = readArguments("ServerImage", args).image ?? "bundled";
    throwProblems(imageProblems(reference));
    const image = new docker.RemoteImage(
      name,
      reference === "bundled"
        ? { name: this.createBundled(name) }
        : // Somebody else's image: it may be in use elsewhere on this engine, so it stays there.
          { name: reference, keepLocally: true },
      { parent: this },
    );
    this.imageId = image.imageId;
    this.registerOutputs({ imageId: this.imageId });
  }

  /** The bundled image's name on the engine. Each component has a tag of its own, so that removing it never removes another's. */
  private createBundled(name: string): pulumi.Output<string> {
    // The component's URN is known once its dependencies are there: nothing is brought to the engine before.
    return pulumi.all([engineOf(this), this.urn]).apply(async ([engine]) => {
      const archive = await buildBundledImage(engine);
      const tagged = imageName(name, archive);
      if (!pulumi.runtime.isDryRun()) {
        await loadImage(engine, archive, tagged);
      }
      return tagged;
    });
  }
}
