import { acrProblems } from "../../components/managed/acrChecks";
import { artifactRegistryProblems } from "../../components/managed/cleanupPolicies";
import { ecrProblems } from "../../components/managed/ecrPolicies";
import { packageSchema } from "../support/schema";

const settings = { garbageCollection: {}, ecr: {}, acr: {}, artifactRegistry: {} };

it.each([
  ["Amazon", ecrProblems],
  ["Azure", acrProblems],
  ["Google", artifactRegistryProblems],
])("a mirror that %s runs has no key that is left out in silence", (_, problemsOf) => {
  const keys = Object.keys(packageSchema().types["container-registry:index:Mirror"]?.properties ?? {});
  expect(keys).toContain("maxSize");
  const used = ["upstream", "username", "password"];
  const refused = keys.filter((key) => {
    const problems = problemsOf({ ...settings, mirror: { upstream: "https://ghcr.io", [key]: "1" } });
    return problems.some((problem) => problem.key === `mirror.${key}` && /has no meaning|can't be chosen/.test(problem.message));
  });
  expect(refused).toEqual(keys.filter((key) => !used.includes(key)));
});
