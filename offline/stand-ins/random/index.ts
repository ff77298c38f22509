import { StandIn } from "../provider/server";
import { randomBytes } from "./randomBytes";
import { randomPassword } from "./randomPassword";
import { randomString } from "./randomString";

export const standIn: StandIn<Record<string, never>, null> = {
  name: "random",
  version: "4.21.2",
  settings: {},
  configure: () => null,
  resources: [randomBytes, randomPassword, randomString],
};
