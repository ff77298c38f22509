import { execFileSync } from "child_process";
import * as path from "path";

// A deployment takes seconds and a large image minutes on two slow cores; a test that hangs must end nevertheless.
jest.setTimeout(10 * 60_000);

// Pulumi's automation loads the compiler, for functions that are serialized into resources: no test has one.
jest.mock("@pulumi/pulumi/typescript-shim", () => ({}));

// The tools that set-up has put in place, found the way the scripts find them.
const script = path.join(__dirname, "..", "..", "scripts", "environment.sh");
const environment = execFileSync("bash", ["-c", '. "$0" && env -0', script], { encoding: "utf8" });
for (const entry of environment.split("\0").filter(Boolean)) {
  const end = entry.indexOf("=");
  process.env[entry.slice(0, end)] = entry.slice(end + 1);
}

// The tests' docker commands have configurations of their own, which know no contexts.
const inspect = ["context", "inspect", "--format", "{{.Name}} {{.Endpoints.docker.Host}}"];
const [context, host] = execFileSync("docker", inspect, { encoding: "utf8", env: process.env }).trim().split(" ");
if (context !== "default") {
  process.env.DOCKER_HOST = host;
}
