import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { checkWhenKnown } from "../checks/inputs";
import { serverUser } from "../render/names";
import { RedisConfiguration, redisPort, renderRedisConfiguration } from "../render/redis";
import { givesWay } from "../args/lock";
import { Swarm, UpdateOrder } from "../args/swarm";
import { redisPasswordProblems } from "./checks";
import { addedBySwarm, serviceArgs, swarmSecret } from "./swarmService";

const configurationFile = "/run/secrets/redis.conf";

export interface SwarmRedisArgs {
  image: string;
  /** Login for the image; undefined if it needs none. */
  login?: docker.types.input.ServiceAuth;
  password?: pulumi.Input<string>;
  /** Memory of the container in MiB. */
  memory: number;
  networkId: pulumi.Input<string>;
  swarm: Swarm;
  /** The registry, once its tasks have the password. */
  registry: pulumi.Output<docker.Service>;
}

/** A Redis on the registry's own network, for what its tasks know of blobs. It keeps nothing on disk. */
export class SwarmRedis extends pulumi.ComponentResource {
  /** How the registry reaches it. Secret. */
  public readonly configuration: pulumi.Output<RedisConfiguration>;
  public readonly service: docker.Service;

  constructor(name: string, args: SwarmRedisArgs, opts?: pulumi.ComponentResourceOptions) {
    super("container-registry:index:SwarmRedis", name, {}, opts);
    const given =
      args.password ?? new random.RandomPassword(`${name}-password`, { length: 48, special: false }, { parent: this }).result;
    const password = pulumi.secret(checkWhenKnown(given, redisPasswordProblems));
    const secret = swarmSecret(
      name,
      { path: configurationFile, content: password.apply((clear) => renderRedisConfiguration(clear, args.memory)) },
      serverUser,
      { parent: this },
    );
    this.service = new docker.Service(
      name,
      serviceArgs(
        name,
        args.swarm,
        { order: UpdateOrder.StopFirst },
        {
          mode: { replicated: { replicas: 1 } },
          container: {
            image: args.image,
            // Not the image's own entry point, which would want to be root.
            commands: ["redis-server", configurationFile],
            user: `${serverUser}:${serverUser}`,
            stopGracePeriod: "10s",
            secrets: [secret],
          },
          memory: args.memory,
          reservedMemory: 16,
          networks: [{ id: args.networkId }],
          auth: args.login,
        },
      ),
      { parent: this, dependsOn: args.registry, ...givesWay, ignoreChanges: addedBySwarm },
    );
    this.configuration = password.apply((plain) => ({ address: `tasks.${name}:${redisPort}`, password: plain }));
    this.registerOutputs({});
  }
}
