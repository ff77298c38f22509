import { ChildProcess, spawn } from "child_process";
import * as fs from "fs";
import * as path from "path";
import * as yaml from "js-yaml";
import { Workspace } from "./clients";
import { freePort } from "./ports";
import { eventually, run } from "./run";
import { projectRoot } from "./testStack";

/** The files for Prometheus and for programs that show its data. */
export const monitoring = path.join(projectRoot, "monitoring");

interface Rules {
  groups: { rules: { alert: string; expr: string; for?: string }[] }[];
}

export function readRules(): Rules {
  return yaml.load(fs.readFileSync(path.join(monitoring, "rules.yml"), "utf8")) as Rules;
}

/** The values that a Prometheus at a URL finds. */
export async function query(url: string, expression: string): Promise<number[]> {
  const answer = (await (await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`)).json()) as {
    data: { result: { value: [number, string] }[] };
  };
  return answer.data.result.map(({ value }) => Number(value[1]));
}

/** A Prometheus on loopback that looks every second, with the rules of this package, but without their delays, so that alerts fire at once. */
export class Prometheus {
  private readonly workspace = new Workspace();
  private process: ChildProcess | undefined;
  private url = "";

  /** `scrapeConfigs` are outputs of stacks. */
  static async start(scrapeConfigs: readonly string[]): Promise<Prometheus> {
    const prometheus = new Prometheus();
    try {
      await prometheus.start(scrapeConfigs);
    } catch (error) {
      prometheus.dispose();
      throw error;
    }
    return prometheus;
  }

  private async start(scrapeConfigs: readonly string[]): Promise<void> {
    const rules = readRules();
    for (const rule of rules.groups.flatMap((group) => group.rules)) {
      delete rule.for;
    }
    this.workspace.write("rules.yml", yaml.dump(rules));
    const jobs = scrapeConfigs.flatMap((each) => (yaml.load(each) as { scrape_configs: object[] }).scrape_configs);
    const file = this.workspace.write(
      "prometheus.yml",
      yaml.dump({
        global: { scrape_interval: "1s", evaluation_interval: "1s" },
        rule_files: ["rules.yml"],
        scrape_configs: jobs,
      }),
    );
    await run("promtool", ["check", "config", file]);
    const address = `127.0.0.1:${await freePort()}`;
    this.url = `http://${address}`;
    const options = [`--config.file=${file}`, `--web.listen-address=${address}`];
    this.process = spawn("prometheus", [...options, `--storage.tsdb.path=${path.join(this.workspace.folder, "data")}`], {
      stdio: "ignore",
    });
    const { process } = this;
    let failure: Error | undefined;
    process.on("error", (error) => (failure = error));
    await eventually("Prometheus", async () => {
      if (failure !== undefined || process.exitCode !== null) {
        throw failure ?? new Error(`Prometheus ended with ${process.exitCode}`);
      }
      return fetch(`${this.url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    });
  }

  /** The alerts that fire, each with its job. */
  async alerts(): Promise<string[]> {
    const answer = (await (await fetch(`${this.url}/api/v1/alerts`)).json()) as {
      data: { alerts: { state: string; labels: Record<string, string> }[] };
    };
    return answer.data.alerts
      .filter(({ state }) => state === "firing")
      .map(({ labels }) => [labels.alertname, labels.job].filter((each) => each !== undefined).join(" of "))
      .sort();
  }

  /** Waits for an alert, and keeps causing it meanwhile. */
  async fires(alert: string, job: string, cause: () => Promise<unknown> = () => Promise.resolve()): Promise<void> {
    const wanted = `${alert} of ${job}`;
    const fired = async (): Promise<boolean> => {
      await cause();
      return (await this.alerts()).includes(wanted);
    };
    await eventually(wanted, fired, 90);
  }

  async isOver(alert: string, job: string): Promise<void> {
    await eventually(`the end of ${alert}`, async () => !(await this.alerts()).includes(`${alert} of ${job}`), 90);
  }

  query(expression: string): Promise<number[]> {
    return query(this.url, expression);
  }

  dispose(): void {
    this.process?.kill();
    this.workspace.dispose();
  }
}
