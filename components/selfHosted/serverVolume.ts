import { createHash } from "crypto";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { formerly } from "../args/formerly";
import { givesWay, goes, lock } from "../args/lock";
import { dataFolder } from "../render/configuration";
import { ownerName } from "../render/names";
import { driverOf } from "../render/driverParameters";
import { Storage } from "../args/storage";
import { engineOf, whenAsked } from "../docker/engineChoice";
import { checkFolder, handOverAgain } from "../docker/folderTrial";
import { Preflight } from "../docker/storeCheck";
import { labelledVolume, nameOnEngine, Owner } from "./deployment";
import { foldersThatAre, Mounted } from "./serverContainer";
import { checkVolumeOptions } from "./volumeOptions";

export interface ServerVolumeArgs {
  /** Name of the container or service that it is for. */
  server: string;
  storage: Storage;
  lab: boolean;
  /** It holds only what another registry has too, and if it were kept, it would be in the way of the next cache of that name. */
  cache?: boolean;
  /** The deployment that the volume belongs to, unless the user chose the volume. */
  owner: pulumi.Output<Owner>;
  /** The server's image on the engine that has the folder or volume. */
  imageId: pulumi.Input<string>;
  /** The server runs as a user of its own, so folders that others made must be handed to it. */
  unprivileged: boolean;
}

/** A folder that others made and the server has now, with the image that its engine can try it with. */
export type HandedOver = Required<Pick<Preflight, "imageId" | "folder">>;

/** Whether images are in a folder or volume that the engine or somebody else made. */
export function isForeign({ filesystem: { hostPath, volume, volumeDriver } = {} }: Storage): boolean {
  return hostPath !== undefined || volume !== undefined || volumeDriver !== undefined;
}

/** Tells volumes apart by where their images are: Docker keeps the first options that it made a volume of a name with. */
export function identityOf({ filesystem: { volume, volumeDriver, volumeOptions } = {} }: Storage): string {
  return createHash("sha256")
    .update(JSON.stringify([volume, volumeDriver, volumeOptions]))
    .digest("hex")
    .slice(0, 8);
}

/** Images on the Docker host: a volume, or a folder of the host. */
export class ServerVolume extends pulumi.ComponentResource {
  /** What the server's container mounts; nothing when images are kept in an object store. */
  public readonly volumes: Mounted[];
  /** Resolves when a folder or volume that others made is the server's. */
  public readonly handedOver?: pulumi.Output<HandedOver>;

  constructor(name: string, args: ServerVolumeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("container-registry:index:ServerVolume", name, {}, formerly("RegistryData", opts));
    const { hostPath, volume, volumeDriver, volumeOptions } = args.storage.filesystem ?? {};

    // The default volume is made whatever the storage is: otherwise an `up` that switches the storage would delete it.
    const standard = labelledVolume(name, args.owner, {
      parent: this,
      protect: lock(args.lab),
      ...(args.cache ? goes : {}),
    });

    if (driverOf(args.storage) !== "filesystem") {
      this.volumes = [];
    } else if (hostPath !== undefined) {
      this.volumes = [{ hostPath, containerPath: dataFolder }];
    } else if (volume !== undefined || volumeDriver !== undefined) {
      const identified = `${name}-${identityOf(args.storage)}`;
      const driver = volumeDriver ?? "local";
      const chosen = new docker.Volume(
        identified,
        {
          name: volume === undefined ? identified : this.withOptions(volume, driver, volumeOptions),
          driver,
          // The options of a network share may hold its password.
          driverOpts: volumeOptions === undefined ? undefined : pulumi.secret(volumeOptions),
        },
        // An `up` that chooses another storage takes this volume out of the stack, and must leave its images, even with `lab`,
        // because Pulumi cannot tell that from a `destroy`. So a chosen volume outlives the stack, as a folder of the host does.
        { parent: this, retainOnDelete: true, additionalSecretOutputs: ["driverOpts"] },
      );
      this.volumes = [{ volumeName: nameOnEngine(this, chosen), containerPath: dataFolder }];
    } else {
      this.volumes = [{ volumeName: nameOnEngine(this, standard, args.owner), containerPath: dataFolder }];
    }

    if (args.unprivileged && isForeign(args.storage)) {
      this.handedOver = this.handOver(args);
    }
    this.registerOutputs({});
  }

  /** The name of a volume, once it is known that the engine has no volume of that name with other options. */
  private withOptions(volume: string, driver: string, options: Record<string, string> | undefined): pulumi.Input<string> {
    return options === undefined
      ? volume
      : whenAsked(engineOf(this), volume, (engine) => checkVolumeOptions(engine, volume, driver, options));
  }

  /** The image, once it is known that the folder or volume can be handed over with it. */
  private whenTried({ server, imageId }: ServerVolumeArgs): pulumi.Input<string> {
    return whenAsked(engineOf(this), pulumi.all([imageId, this.volumes]), (engine, [image, [folder = {}]]) =>
      checkFolder(engine, server, image, folder),
    ).apply(([image]) => image);
  }

  /** Gives a folder or volume to the server's user. Runs once and stays as a stopped container. */
  private handOver(args: ServerVolumeArgs): pulumi.Output<HandedOver> {
    const name = ownerName(args.server);
    const handOver = new docker.Container(
      name,
      {
        name,
        image: this.whenTried(args),
        command: ["prepare", dataFolder],
        user: "0:0",
        capabilities: { drops: ["ALL"], adds: ["CAP_CHOWN", "CAP_DAC_OVERRIDE"] },
        securityOpts: ["no-new-privileges"],
        networkMode: "none",
        readOnly: true,
        restart: "no",
        attach: true,
        mustRun: false,
        ...foldersThatAre(this.volumes),
      },
      { parent: this, ...givesWay },
    );
    const done = whenAsked(engineOf(this), handOver.exitCode, async (engine, code) => {
      if (code !== 0) {
        await handOverAgain(engine, name);
      }
    });
    return pulumi
      .all([engineOf(this), args.imageId, this.volumes, done])
      .apply(([engine, image, [{ hostPath, volumeName = "" } = {}]]) => ({
        imageId: image,
        folder: { engine, source: hostPath ?? volumeName, target: dataFolder },
      }));
  }
}
