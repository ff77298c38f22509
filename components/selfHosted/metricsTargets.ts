import { isIPv6 } from "net";
import * as pulumi from "@pulumi/pulumi";
import { Metrics } from "../args/registry";
import { hostPort, isLoopback, isUnspecified, usualHostname } from "../checks/hosts";
import { completeMetrics } from "../checks/address";
import { metricsUrl, scrapeConfig, ScrapeTarget } from "../render/scrape";

/** Where a server on one Docker host has its metrics for Prometheus: nowhere, unless they are asked for. */
export function metricsTargets(name: string, hostname: string, metrics: Metrics | undefined, usualPort: number): ScrapeTarget[] {
  if (metrics === undefined) {
    return [];
  }
  const { port, bindAddress } = completeMetrics(metrics, usualPort);
  // The registry's host name may be a loopback address of the other IP version.
  const host = isLoopback(hostname) && isIPv6(hostname) !== isIPv6(bindAddress) ? usualHostname(bindAddress) : hostname;
  return [{ name, address: hostPort(isUnspecified(bindAddress) ? host : bindAddress, port) }];
}

/** Outputs of a component with metrics for Prometheus. */
export interface MetricsOutputs {
  metricsEndpoint: pulumi.Output<string>;
  scrapeConfig: pulumi.Output<string>;
}

/** A component's own targets, if any, come first. */
export function metricsOutputs(own: readonly ScrapeTarget[], others: readonly ScrapeTarget[] = []): MetricsOutputs {
  return {
    metricsEndpoint: pulumi.output(own[0] === undefined ? "" : metricsUrl(own[0].address)),
    scrapeConfig: pulumi.output(scrapeConfig([...own, ...others])),
  };
}

export function warnOfOpenMetrics(component: pulumi.ComponentResource, metrics: Metrics | undefined, usualPort: number): void {
  const { port, bindAddress } = completeMetrics(metrics ?? {}, usualPort);
  if (!isLoopback(bindAddress)) {
    void pulumi.log.warn(
      `Everybody who reaches ${hostPort(bindAddress, port)} sees the names and sizes of repositories without a login. ` +
        "Let a firewall keep out all but Prometheus.",
      component,
    );
  }
}
