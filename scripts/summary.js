"use strict";
// Reads a stack's outputs (JSON) and tells a person what was made and what to type next.
const outputs = JSON.parse(require("fs").readFileSync(0, "utf8"));
const pulumi = "npm run --silent pulumi --";
const expiry = outputs.certificateExpiresAt && ` (certificate until ${outputs.certificateExpiresAt.slice(0, 10)})`;
const trust = outputs.caCertificate
  ? `${pulumi} stack output trustCommand | sh`
  : "insecure-registries" in JSON.parse(outputs.daemonConfig)
    ? `merge into /etc/docker/daemon.json, and reload Docker: ${pulumi} stack output daemonConfig`
    : "(nothing to do: Docker trusts this registry as it is)";
const login = outputs.username ? outputs.loginCommand.replace(/^pulumi/, pulumi) : "(nothing to do: the registry has no users)";
const [what, name] = outputs.serviceName ? ["service", outputs.serviceName] : ["container", outputs.containerName];
const runs = name ? `, ${what} ${name}` : "";
const page = outputs.page ? `\n  page       ${outputs.page} in a browser` : "";
console.log(`
Your registry is up. Take it down with: npm stop

  URL        ${outputs.endpoint}${expiry}${page}
  user       ${outputs.username || "none"}
  server     ${outputs.version}${runs}

  1. trust   ${trust}
  2. login   ${login}
  3. push    docker tag IMAGE ${outputs.repositoryPrefix}/IMAGE && docker push ${outputs.repositoryPrefix}/IMAGE`);
