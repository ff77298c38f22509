import * as yaml from "js-yaml";
import { metricsPath, metricsPort } from "./configuration";

/** The label by which the rules in `monitoring/` recognize the servers. */
const app = "container-registry";

/** Where Prometheus finds the metrics of a server. */
export interface ScrapeTarget {
  /** The server's name, which is also the job's. */
  name: string;
  /** `host:port`. */
  address: string;
}

/** The part of a prometheus.yml that is for servers on one Docker host. */
export function scrapeConfig(targets: readonly ScrapeTarget[]): string {
  return rendered(
    targets.map(({ name, address }) => ({ job_name: name, static_configs: [{ targets: [address], labels: { app } }] })),
  );
}

/** The same for the tasks of a Swarm's service. Prometheus asks DNS for them, on a network that they share. */
export function swarmScrapeConfig(service: string): string {
  const found = { names: [`tasks.${service}`], type: "A", port: metricsPort, refresh_interval: "15s" };
  return rendered([
    {
      job_name: service,
      dns_sd_configs: [found],
      relabel_configs: [{ target_label: "app", replacement: app }],
    },
  ]);
}

/** The URL that Prometheus asks. */
export function metricsUrl(address: string): string {
  return `http://${address}${metricsPath}`;
}

function rendered(jobs: object[]): string {
  return jobs.length === 0 ? "" : yaml.dump({ scrape_configs: jobs }, { lineWidth: -1 });
}
