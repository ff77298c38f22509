import { StandIn } from "../provider/server";
import { certRequest } from "./certRequest";
import { locallySignedCert } from "./locallySignedCert";
import { privateKey } from "./privateKey";
import { selfSignedCert } from "./selfSignedCert";

export const standIn: StandIn<Record<string, never>, null> = {
  name: "tls",
  version: "5.6.1",
  settings: {},
  configure: () => null,
  resources: [certRequest, locallySignedCert, privateKey, selfSignedCert],
};
