import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { givesWay, goes } from "../args/lock";
import { failure } from "../checks/failure";
import { Swarm, UpdateOrder } from "../args/swarm";
import { SwarmImage } from "./swarmImage";
import { addedBySwarm, checkedBy, serviceArgs } from "./swarmService";

const engineFolder = "/etc/docker";
const certificatesFile = "/certificates.pem";

export interface SwarmTrustArgs {
  /** The bundled server's image. */
  image: SwarmImage;
  /** The registry's addresses, as image names begin with them: `registry.example.com:5000`. */
  addresses: readonly string[];
  /** What to trust, PEM. */
  certificates: pulumi.Output<string>;
  swarm: Swarm;
}

/** Makes the engine of every node trust the registry's CA for as long as the service is there. */
export class SwarmTrust extends pulumi.ComponentResource {
  public readonly service: docker.Service;

  constructor(name: string, args: SwarmTrustArgs, opts?: pulumi.ComponentResourceOptions) {
    super("container-registry:index:SwarmTrust", name, {}, opts);
    const data = args.certificates.apply((pem) => {
      if (pem === "") {
        throw failure("swarm.trustNodes: the certificate is one of a public CA, which nodes trust as it is; remove the key");
      }
      return Buffer.from(pem).toString("base64");
    });
    const config = new docker.ServiceConfig(name, { data }, { parent: this, ...goes });
    const command = [name, certificatesFile, `${engineFolder}/certs.d`, ...args.addresses];
    this.service = new docker.Service(
      name,
      // The new file is there before the old one is removed.
      serviceArgs(
        name,
        args.swarm,
        { order: UpdateOrder.StartFirst },
        {
          mode: { global: true },
          container: {
            image: args.image.reference,
            args: ["trust", ...command],
            // The folder belongs to root, who without capabilities has only the rights of its owner.
            user: "0:0",
            stopGracePeriod: "10s",
            configs: [{ configId: config.id, configName: config.name, fileName: certificatesFile }],
            // Swarm refuses a folder that does not exist: no fresh node has certs.d, and nearly all have the engine's own folder.
            mounts: [{ type: "bind", source: engineFolder, target: engineFolder }],
            healthcheck: checkedBy("trust", "--check", ...command),
          },
          memory: 64,
          reservedMemory: 8,
          auth: args.image.login,
        },
      ),
      { parent: this, ...givesWay, ignoreChanges: addedBySwarm },
    );
    this.registerOutputs({});
  }
}
