import { StandIn } from "../provider/server";
import { container } from "./container";
import { Engine } from "./engine";
import { image } from "./build/image";
import { network } from "./network";
import { remoteImage } from "./remoteImage";
import { service } from "./swarm/service";
import { engineOf, settings } from "./settings";
import { secret, serviceConfig } from "./swarm/swarmFile";
import { volume } from "./volume";

export const standIn: StandIn<typeof settings, Engine> = {
  name: "docker",
  version: "5.2.0",
  settings,
  configure: engineOf,
  resources: [container, image, network, remoteImage, secret, service, serviceConfig, volume],
};
