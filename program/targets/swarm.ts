import { Publish, SwarmRegistry, UpdateOrder } from "../../components";
import { refusedPushProblems } from "../../components/lib/imageBuilds";
import { swarmRegistryProblems, swarmSettingsOf } from "../../components/swarmRegistry";
import { authenticationShape, garbageCollectionShape, tlsShape, usersShape } from "../registryShapes";
import { boolean, dictionary, list, number, object, secret, Shape, string } from "../shape";
import { storageShape } from "../storageShape";
import { target } from "../target";

const swarmShape = object({
  publish: string as Shape<Publish>,
  replicas: number,
  constraints: list(string),
  networks: list(string),
  nodes: list(string),
  imageDistribution: object({ repository: string, username: string, password: secret }),
  redis: object({ image: string, password: secret, memory: number }, ["image"]),
  trustNodes: boolean,
  update: object({ parallelism: number, order: string as Shape<UpdateOrder>, monitorSeconds: number }),
});

/** A Docker Swarm. */
export const swarm = target(
  {
    hostname: string,
    port: number,
    allowInsecure: boolean,
    tls: tlsShape,
    users: usersShape,
    anonymousPull: boolean,
    authentication: authenticationShape,
    storage: storageShape,
    image: string,
    readOnly: boolean,
    garbageCollection: garbageCollectionShape,
    hosts: dictionary(string),
    resources: object({ memory: number, reservedMemory: number }),
    swarm: swarmShape,
    lab: boolean,
  },
  (args, images) => [...swarmRegistryProblems(swarmSettingsOf(args)), ...refusedPushProblems(images, args)],
  (name, args) => new SwarmRegistry(name, args),
  {
    bindAddress: "a Swarm publishes a port on every address of its nodes",
    mirror: "a mirror is for one Docker host; give every node one of its own by a stack of target single-node",
  },
);
