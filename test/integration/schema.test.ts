import * as path from "path";
import { run } from "../support/run";
import { PackageSchema, SchemaProperty } from "../support/schema";
import { projectRoot } from "../support/testStack";

/** What the package looks like to programs in every Pulumi language. */
describe("the package's schema", () => {
  let schema: PackageSchema;
  beforeAll(async () => {
    schema = JSON.parse(await run("pulumi", ["package", "get-schema", path.join(projectRoot, "components")])) as PackageSchema;
  });

  it("has the public components, and none of their helpers", () => {
    expect(Object.keys(schema.resources)).toEqual(
      [
        ...[
          "AcrRegistry",
          "ArtifactRegistry",
          "AzureStore",
          "BuiltImages",
          "EcrRegistry",
          "ExternalRegistry",
          "GcsStore",
          "PullThroughCache",
        ],
        ...["RegistryCertificate", "RegistryUsers", "S3Store", "ServerImage", "SingleNodeRegistry", "SwarmRegistry"],
      ].map((name) => `container-registry:index:${name}`),
    );
    expect(Object.values(schema.resources).every(({ isComponent }) => isComponent)).toBe(true);
  });

  it("describes every component, type, property and value, in whole sentences", () => {
    const described = [
      ...Object.entries(schema.resources).flatMap(([token, resource]): [string, string | undefined][] => [
        [token, resource.description],
        ...properties(token, resource.properties),
        ...properties(token, resource.inputProperties),
      ]),
      ...Object.entries(schema.types).flatMap(([token, type]): [string, string | undefined][] => [
        ...properties(token, type.properties),
        ...(type.enum ?? []).map(({ value, description }): [string, string | undefined] => [`${token} ${value}`, description]),
      ]),
    ];
    expect(described.length).toBeGreaterThan(150);
    expect(described.filter(([, description]) => !/^\S[\s\S]*\.$/.test(description ?? ""))).toEqual([]);
  });

  it("says the default of every number, and of all that is true or false", () => {
    const optional = [
      ...Object.values(schema.types),
      ...Object.values(schema.resources).map((each) => ({ properties: each.inputProperties })),
    ]
      .flatMap(({ properties: all }) => Object.entries(all ?? {}))
      .filter(([, { type }]) => type === "number" || type === "boolean");
    expect(optional.length).toBeGreaterThan(30);
    expect(optional.filter(([, { description }]) => !description?.includes(" Default: ")).map(([name]) => name)).toEqual([]);
  });

  it("requires only what has no sensible default", () => {
    const required = [
      ...Object.entries(schema.resources).map(([token, { requiredInputs }]) => [token, requiredInputs]),
      ...Object.entries(schema.types).map(([token, { required: names }]) => [token, names]),
    ].filter(([, names]) => names !== undefined);
    expect(Object.fromEntries(required)).toEqual({
      "container-registry:index:AzureStore": ["options"],
      "container-registry:index:Cors": ["allowedOrigins"],
      "container-registry:index:GcsStore": ["options"],
      "container-registry:index:ImageBuild": ["context", "name"],
      "container-registry:index:Notification": ["name", "url"],
      "container-registry:index:Redis": ["image"],
      "container-registry:index:RegistryCertificate": ["hostname"],
      "container-registry:index:BuiltImages": ["builds", "repositoryPrefix"],
      "container-registry:index:RegistryUsers": ["users"],
      "container-registry:index:S3Store": ["options"],
      "container-registry:index:User": ["name"],
    });
  });

  it("has every output in every deployment", () => {
    for (const { properties: outputs = {}, required = [] } of Object.values(schema.resources)) {
      expect([...required].sort()).toEqual(Object.keys(outputs).sort());
    }
  });
});

function properties(owner: string, all: Record<string, SchemaProperty> = {}): [string, string | undefined][] {
  return Object.entries(all).map(([name, { description }]) => [`${owner} ${name}`, description]);
}
