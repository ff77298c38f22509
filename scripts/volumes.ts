import { text } from "stream/consumers";
import { engineBy } from "../components/docker/engineChoice";
import { EngineAddress, localEngine } from "../components/docker/engine";
import { checkOwner, checkPresence, ownerLabel } from "../components/docker/volumeOwner";

/** The part of `pulumi stack export` that is read. */
interface Export {
  deployment: { resources: StateResource[] };
}

interface StateResource {
  urn: string;
  type: string;
  id?: string;
  provider?: string;
  inputs?: { host?: string; context?: string; certPath?: string };
  outputs?: { name?: string; labels?: { label: string; value: string }[] };
}

/**
 * Stops where an engine that a `destroy` goes to has none of the state's volumes, or another deployment's by that name: Pulumi takes for
 * deleted what it does not find. One that is missing among others is: a `destroy` before was cut off.
 */
export async function checkVolumes({ deployment: { resources } }: Export): Promise<void> {
  const settings = new Map(resources.map(({ urn, id, inputs }) => [`${urn}::${id}`, inputs]));
  const found = new Map<string, { engine: EngineAddress; name: string; there: boolean }>();
  for (const { type, provider = "", outputs: { name, labels = [] } = {} } of resources) {
    if (type === "docker:index/volume:Volume" && name !== undefined) {
      const engine = engineBy(settings.get(provider) ?? {});
      const host = engine.host ?? localEngine;
      const owner = labels.find(({ label }) => label === ownerLabel)?.value;
      const there = await checkOwner(engine, name, owner);
      found.set(host, { engine, name, there: there || found.get(host)?.there === true });
    }
  }
  for (const { engine, name, there } of found.values()) {
    if (!there) {
      await checkPresence(engine, name);
    }
  }
}

async function main(): Promise<void> {
  try {
    await checkVolumes(JSON.parse(await text(process.stdin)) as Export);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}

if (require.main === module) {
  void main();
}
