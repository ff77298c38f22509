import * as fs from "fs";
import * as path from "path";
import { completeSettings } from "../../components/selfHosted/settings";
import { completeSwarmSettings } from "../../components/swarm/settings";
import { componentNames, packageSchema, SchemaResource } from "../support/schema";
import { projectRoot } from "../support/testStack";

/** What CONTRIBUTING says of a new key and a new output, as far as nothing else fails without it. */
const resourceOf = (name: string): SchemaResource | undefined => packageSchema().resources[`container-registry:index:${name}`];

it.each([
  ["SingleNodeRegistry", completeSettings],
  ["SwarmRegistry", completeSwarmSettings],
])("every key of %s is among the settings that it is made from", (name, complete: (given: object) => object) => {
  const keys = Object.keys(resourceOf(name)?.inputProperties ?? {});
  expect(keys).toContain("externalUrl");
  // Anything but a default; some limits are taken out of what is given.
  const given = { memory: 1 };
  const without = JSON.stringify(complete({}));
  const dropped = keys.filter((key) => JSON.stringify(complete({ [key]: given })) === without);
  // The component itself asks for it.
  expect(dropped).toEqual(["lab"]);
});

it.each(componentNames().filter((name) => name.endsWith("Registry")))("every output of %s is one of a stack", (name) => {
  const outputs = Object.keys(resourceOf(name)?.properties ?? {});
  expect(outputs).toContain("endpoint");
  const index = fs.readFileSync(path.join(projectRoot, "index.ts"), "utf8");
  expect(outputs.filter((output) => !index.includes(`registry.${output}`))).toEqual([]);
});
