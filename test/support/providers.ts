import { execFileSync } from "child_process";
import * as path from "path";
import { Environment, projectRoot } from "./testStack";

/** Which plugins Pulumi uses. */
export type Providers = "official" | "stand-in";

/** The environment that makes Pulumi use them. */
export function environmentOf(providers: Providers): Environment {
  const script = path.join(projectRoot, "scripts", "environment.sh");
  const home = execFileSync("bash", ["-c", '. "$0" && printf %s "${PULUMI_HOME:-$HOME/.pulumi}"', script], {
    encoding: "utf8",
    env: { ...process.env, CONTAINER_REGISTRY_PROVIDERS: providers },
  });
  return { PULUMI_HOME: home };
}
