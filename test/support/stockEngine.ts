import * as fs from "fs";
import * as path from "path";
import { DockerClient } from "./clients";
import { projectRoot } from "./testStack";

/** Like the configuration in the official image: filesystem storage, plain HTTP, no users. */
const configuration = `version: 0.1
storage:
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
`;

/** Makes the official registry image from the engine's own source, with nothing of this package in it; it runs as root. */
export function buildStockImage(docker: DockerClient, name: string): Promise<string> {
  const folder =
    fs.readdirSync(path.join(projectRoot, ".tools")).find((entry) => entry.startsWith("stock-")) ?? "stock is missing";
  return docker.buildFrom(name, {
    registry: path.join(projectRoot, ".tools", folder, "registry"),
    "config.yml": Buffer.from(configuration),
    Dockerfile: Buffer.from(
      [
        "FROM scratch",
        "COPY registry /bin/registry",
        "COPY config.yml /etc/distribution/config.yml",
        'ENTRYPOINT ["/bin/registry"]',
        'CMD ["serve", "/etc/distribution/config.yml"]',
        "",
      ].join("\n"),
    ),
  });
}
