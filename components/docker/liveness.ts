import * as pulumi from "@pulumi/pulumi";

/** The check by which Docker and Swarm find out whether a server lives, in their own terms. */
export interface LivenessCheck {
  tests: pulumi.Input<string>[];
  interval: string;
  timeout: string;
  startPeriod: string;
  retries: number;
}

/**
 * Engines before 25 have no start interval. So the interval is short for a quick first check, and the check itself watches the server for
 * a while before it returns, so a container that is in trouble gets a process every 15 seconds. Three of them in a row make it unhealthy.
 */
export function livenessCheck(configurationPath: pulumi.Input<string>): LivenessCheck {
  return {
    tests: ["CMD", "/registry", "healthcheck", "--watch", "15s", configurationPath],
    interval: "250ms",
    timeout: "30s",
    startPeriod: "20s",
    retries: 3,
  };
}
