import { ExternalRegistry } from "../../components";
import { externalProblems } from "../../components/managed/externalAddress";
import { target } from "../target";

/** A registry that exists already. */
export const external = target(
  ExternalRegistry,
  (args) => externalProblems({ external: args.external ?? {}, allowInsecure: args.allowInsecure ?? false }),
  {
    hostname: "it is that of a registry made here; set external.hostname",
    port: "it is that of a registry made here; set external.port",
    externalUrl: "it is that of a registry made here; set external.hostname",
    trustedProxies: "whose clients they are is settled where the registry is run",
    metrics: "nothing is made here",
    bindAddress: "nothing is made here",
    tls: "the registry has its certificate; give its CA in external.caCertificate, or set external.insecure",
    users: "nothing is made here; give one login in external.username and external.password",
    anonymousPull: "who may pull is settled where the registry is run",
    cors: "which pages may use it is settled where the registry is run",
    authentication: "logins are verified where the registry is run",
    storage: "images are kept where the registry is run",
    image: "the server is there already",
    readOnly: "it is settled where the registry is run",
    foreignLayerHosts: "which layers it takes is settled where the registry is run",
    ui: "it is settled where the registry is run",
    notifications: "they are sent from where the registry is run",
    logs: "they are written where the registry is run",
    hosts: "the server is there already",
    resources: "the server is there already",
    garbageCollection: "garbage is collected where the registry is run",
    mirror: "nothing is made here; a mirror is a registry of its own",
    lab: "nothing is made here, so that there is nothing to delete",
  },
);
