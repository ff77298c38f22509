/**
 * Push and pull of the same images with each storage driver, beside the driver for the local disk, and the memory the server took
 * meanwhile. Deployed by the package; the stores are real servers or the vendors' emulators on this machine (test/support), so that
 * the figures tell what a driver costs, not what a cloud's network does. Run with: npm run bench:storage [rounds]
 */
import { Skopeo, Workspace } from "../support/clients";
import { run } from "../support/run";
import { stores, TestStore } from "../support/storageServers";
import { TestStack } from "../support/testStack";
import { makeImage } from "./images";
import { used } from "./processes";
import { median, table } from "../../commands/compare/figures";
import { seconds } from "./timing";

const rounds = Number(process.argv[2] ?? 3);

interface Deployed {
  stack: TestStack;
  store?: TestStore;
  skopeo: Skopeo;
  prefix: string;
  pid: number;
}

interface Figures {
  pushSmall: number;
  pullSmall: number;
  pushBig: number;
  pullBig: number;
}

async function deploy(driver: string): Promise<Deployed> {
  const store = await stores[driver]?.();
  const stack = await TestStack.create(store?.settings, store?.secrets);
  const outputs = await stack.up();
  const pid = await run("docker", ["inspect", "--format", "{{.State.Pid}}", outputs.containerName]);
  return { stack, store, skopeo: new Skopeo(outputs), prefix: outputs.repositoryPrefix, pid: Number(pid) };
}

async function measure({ skopeo, prefix }: Deployed, images: { small: string; big: string }, round: number): Promise<Figures> {
  const workspace = new Workspace();
  // A repository of its own in every round, or the layers would be there already.
  const at = (name: string): string => `docker://${prefix}/round-${round}/${name}:1`;
  try {
    return {
      pushSmall: await seconds(() => skopeo.copy(images.small, at("small"))),
      pullSmall: await seconds(() => skopeo.copy(at("small"), `dir:${workspace.folder}/small`)),
      pushBig: await seconds(() => skopeo.copy(images.big, at("big"))),
      pullBig: await seconds(() => skopeo.copy(at("big"), `dir:${workspace.folder}/big`)),
    };
  } finally {
    workspace.dispose();
  }
}

async function main(): Promise<void> {
  const workspace = new Workspace();
  const deployed = new Map<string, Deployed>();
  try {
    for (const driver of ["filesystem", ...Object.keys(stores)]) {
      deployed.set(driver, await deploy(driver));
    }
    const figures = new Map<string, Figures[]>([...deployed.keys()].map((driver) => [driver, []]));
    for (let round = 1; round <= rounds; round++) {
      // New content in every round: a blob that the store has is not stored again.
      const images = {
        small: await makeImage(workspace, `small${round}`, 60, 100 / 1024),
        big: await makeImage(workspace, `big${round}`, 1, 1024),
      };
      for (const [driver, each] of deployed) {
        const measured = await measure(each, images, round);
        figures.get(driver)?.push(measured);
        console.error(`round ${round}/${rounds}, ${driver}: ${JSON.stringify(measured)}`);
      }
    }
    const columns: [string, keyof Figures][] = [
      ["push small s", "pushSmall"],
      ["pull small s", "pullSmall"],
      ["push big s", "pushBig"],
      ["pull big s", "pullBig"],
    ];
    console.log(`\nMedians of ${rounds} rounds in turn; small: 60 layers of 100 KB, big: 1 layer of 1 GiB\n`);
    console.log(
      table(
        ["", ...columns.map(([title]) => title), "server's peak MiB"],
        [...figures].map(([driver, all]) => [
          driver,
          ...columns.map(([, key]) => median(all.map((each) => each[key])).toFixed(2)),
          used(deployed.get(driver)?.pid).peakMiB.toFixed(0),
        ]),
      ),
    );
  } finally {
    for (const { skopeo, stack, store } of deployed.values()) {
      skopeo.dispose();
      await stack.dispose();
      await store?.dispose();
    }
    workspace.dispose();
  }
}

void main();
