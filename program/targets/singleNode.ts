import { SingleNodeRegistry } from "../../components";
import { registryProblems } from "../../components/lib/checks";
import { refusedPushProblems } from "../../components/lib/imageBuilds";
import { settingsOf } from "../../components/singleNodeRegistry";
import {
  authenticationShape,
  garbageCollectionShape,
  mirrorShape,
  resourcesShape,
  tlsShape,
  usersShape,
} from "../registryShapes";
import { boolean, dictionary, number, string } from "../shape";
import { storageShape } from "../storageShape";
import { target } from "../target";

/** One Docker host. */
export const singleNode = target(
  {
    hostname: string,
    port: number,
    bindAddress: string,
    allowInsecure: boolean,
    tls: tlsShape,
    users: usersShape,
    anonymousPull: boolean,
    authentication: authenticationShape,
    storage: storageShape,
    image: string,
    readOnly: boolean,
    garbageCollection: garbageCollectionShape,
    mirror: mirrorShape,
    hosts: dictionary(string),
    resources: resourcesShape,
    lab: boolean,
  },
  (args, images) => [...registryProblems(settingsOf(args)), ...refusedPushProblems(images, args)],
  (name, args) => new SingleNodeRegistry(name, args),
);
