import { acrProblems } from "../../components/managed/acrChecks";
import { artifactRegistryProblems } from "../../components/managed/cleanupPolicies";
import { ecrProblems } from "../../components/managed/ecrPolicies";
import { packageSchema, SchemaProperty } from "../support/schema";

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

it.each(["https://docker.io", "https://index.docker.io/", "https://Registry-1.Docker.io", "https://QUAY.io"])(
  "a mirror of %s is one of what every cloud knows",
  (upstream) => {
    const mirror = { upstream };
    const problems = [ecrProblems, acrProblems, artifactRegistryProblems].flatMap((of) => of({ ...settings, mirror }));
    expect(problems.filter(({ key }) => key === "mirror.upstream")).toEqual([]);
  },
);

it.each([
  ["Amazon", ecrProblems],
  ["Azure", acrProblems],
  ["Google", artifactRegistryProblems],
])("no problem of %s's repeats a long value whole", (_, problemsOf) => {
  /** A value of this type, with the text wherever one belongs. */
  const filled = ({ $ref, items, additionalProperties, type }: SchemaProperty, text: string): unknown => {
    if ($ref !== undefined) {
      const { properties } = packageSchema().types[$ref.replace("#/types/", "")] ?? {};
      const entries = Object.entries(properties ?? {}).map(([key, each]) => [key, filled(each, text)]);
      return properties === undefined ? undefined : Object.fromEntries(entries);
    }
    return items !== undefined
      ? [filled(items, text)]
      : additionalProperties !== undefined
        ? { [text]: text }
        : new Map<string | undefined, unknown>([
            ["string", text],
            ["number", 1],
            ["boolean", true],
          ]).get(type);
  };
  const settings = (
    text: string,
  ): Parameters<typeof ecrProblems>[0] & Parameters<typeof acrProblems>[0] & Parameters<typeof artifactRegistryProblems>[0] => {
    const of = (name: string) => filled({ $ref: `#/types/container-registry:index:${name}` }, text) as object;
    return {
      ecr: of("EcrOptions"),
      acr: of("AcrOptions"),
      artifactRegistry: of("ArtifactRegistryOptions"),
      garbageCollection: of("GarbageCollection"),
      mirror: of("Mirror"),
    };
  };
  const letters = "a".repeat(100_000);
  for (const text of [letters, `${letters}/*`, `*.${letters}`, "*.".repeat(50_000), `https://${letters}.example.com`]) {
    const long = problemsOf(settings(text)).filter(({ message }) => message.length > 1_000);
    expect(long.map(({ message }) => message.slice(0, 1_000))).toEqual([]);
  }
});
