/** Why the keys of self-hosted registries have no meaning if a cloud runs the registry. */
export function managedForeign(cloud: string, access: string): Record<string, string> {
  return {
    hostname: `the registry has a name of ${cloud}'s`,
    port: `${cloud} serves on port 443`,
    externalUrl: `clients come to ${cloud}`,
    trustedProxies: `clients come to ${cloud}`,
    metrics: `${cloud} has metrics of its own`,
    bindAddress: `the registry is ${cloud}'s and not on a Docker host`,
    allowInsecure: "there is nothing insecure to allow",
    tls: `${cloud}'s certificate is used`,
    users: `identities of ${cloud} log in; name them in ${access}`,
    anonymousPull: "nobody pulls without a login",
    authentication: `${cloud} verifies logins`,
    cors: `${cloud} answers browsers`,
    storage: `${cloud} keeps the images`,
    image: `${cloud} runs the server`,
    readOnly: "there is no such switch; remove the writers",
    foreignLayerHosts: `${cloud} decides which layers it takes`,
    ui: `${cloud} has a console of its own`,
    notifications: `${cloud} has events of its own`,
    logs: `${cloud} keeps the logs`,
    hosts: `${cloud} runs the server`,
    resources: `${cloud} runs the server`,
  };
}
