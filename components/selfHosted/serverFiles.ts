import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { formerly } from "../args/formerly";
import { givesWay, goes } from "../args/lock";
import { checkCertificate } from "../docker/certificateTrial";
import { engineOf, whenAsked } from "../docker/engineChoice";
import { filesFolder } from "../render/configuration";
import { writerName } from "../render/names";
import { labelledVolume, nameOnEngine, Owner } from "./deployment";

/** A file for the server. */
export interface ServerFile {
  path: pulumi.Input<string>;
  content: pulumi.Input<string>;
}

export interface ServerFilesArgs {
  /** Name of the container that they are for. */
  server: string;
  imageId: pulumi.Input<string>;
  /** The deployment that the volume belongs to. */
  owner: pulumi.Output<Owner>;
  files: ServerFile[];
  /** The certificate among the files, with its key, if others made it. */
  foreignCertificate?: pulumi.Input<string>;
  /** The server's user is not root, and in the image only that user has access to the folder. */
  unprivileged: boolean;
}

/**
 * The files that the server reads, in a volume. They are written by a container that is never started, so that a changed
 * certificate or users file replaces that container and leaves the running server alone.
 */
export class ServerFiles extends pulumi.ComponentResource {
  /** Name of the volume. */
  public readonly volume: pulumi.Output<string>;
  /** Resolves when the files are in place. */
  public readonly written: pulumi.Output<unknown>;

  constructor(name: string, args: ServerFilesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("container-registry:index:ServerFiles", name, {}, formerly("RegistryFiles", opts));
    const volume = labelledVolume(name, args.owner, { parent: this, ...goes });
    this.volume = nameOnEngine(this, volume, args.owner);
    const writerOf = writerName(args.server);
    const writer = new docker.Container(
      writerOf,
      {
        name: writerOf,
        image: this.whenTried(args),
        command: ["version"],
        start: false,
        mustRun: false,
        networkMode: "none",
        restart: "no",
        volumes: [{ volumeName: this.volume, containerPath: filesFolder }],
        uploads: args.files.map(({ path, content }) => ({
          file: path,
          content: pulumi.secret(content),
          permissions: args.unprivileged ? "0644" : "0600",
        })),
      },
      { parent: this, ...givesWay, additionalSecretOutputs: ["uploads"] },
    );
    this.written = writer.id;
    this.registerOutputs({ volume: this.volume });
  }

  /** The image, once it is known that the server can use the certificate. */
  private whenTried({ server, imageId, foreignCertificate }: ServerFilesArgs): pulumi.Input<string> {
    if (foreignCertificate === undefined) {
      return imageId;
    }
    const tried = whenAsked(engineOf(this), pulumi.all([imageId, foreignCertificate]), (engine, [image, pem]) =>
      checkCertificate(engine, writerName(server), image, pem),
    );
    return pulumi.unsecret(tried.apply(([image]) => image));
  }
}
