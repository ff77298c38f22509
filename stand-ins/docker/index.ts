import { StandIn } from "../provider/server";
import { container } from "./container";
import { Engine } from "./engine";
import { network } from "./network";
import { remoteImage } from "./remoteImage";
import { secret } from "./secret";
import { completed, engineOf, settings } from "./settings";
import { volume } from "./volume";

export const standIn: StandIn<typeof settings, Engine> = {
  name: "docker",
  version: "5.0.0",
  settings,
  completed,
  configure: engineOf,
  resources: [container, network, remoteImage, secret, volume],
};
