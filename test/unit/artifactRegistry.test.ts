import { Provider } from "@pulumi/gcp/provider";
import { ArtifactRegistry, ArtifactRegistryArgs } from "../../components";
import { cleanupPolicies, repositoryIdOf } from "../../components/managed/cleanupPolicies";
import { asked, clouds } from "../support/clouds";
import { mocked, valueOf } from "../support/mocks";

const make = (args: ArtifactRegistryArgs) => mocked(() => new ArtifactRegistry("registry", args), clouds);

/** Everything that can be asked for. */
const full: ArtifactRegistryArgs = {
  artifactRegistry: {
    location: "europe-west3",
    project: "my-project",
    repository: "images",
    immutableTags: false,
    scan: false,
    kmsKey: "projects/my-project/locations/europe-west3/keyRings/ring/cryptoKeys/key",
    readers: ["group:team@example.com"],
    writers: ["serviceAccount:ci@my-project.iam.gserviceaccount.com"],
    labels: { team: "a" },
  },
  garbageCollection: { retention: [{ keepNewest: 20, keepDays: 30, keepTags: ["v*"] }], alwaysKeepTags: ["latest*"] },
  mirror: { upstream: "https://ghcr.io", username: "us", password: "the-upstream-password" },
  lab: true,
};

describe("a registry in Artifact Registry", () => {
  it("is one safe repository with nothing but a location given", async () => {
    const { resources } = await make({ artifactRegistry: { location: "europe-west3" } });
    expect(asked(resources)).toMatchInlineSnapshot(`
      {
        "Repository registry-repository": {
          "$protect": true,
          "$retainOnDelete": true,
          "cleanupPolicies": [],
          "cleanupPolicyDryRun": false,
          "description": "Container images of registry",
          "dockerConfig": {
            "immutableTags": true,
          },
          "format": "DOCKER",
          "location": "europe-west3",
          "mode": "STANDARD_REPOSITORY",
          "repositoryId": "registry",
          "vulnerabilityScanningConfig": {
            "enablementConfig": "INHERITED",
          },
        },
      }
    `);
  });

  it("has everything that can be asked for", async () => {
    const { resources } = await make(full);
    expect(asked(resources)).toMatchInlineSnapshot(`
      {
        "Repository registry-mirror": {
          "$deleteBeforeReplace": true,
          "description": "Images of ghcr.io, kept for registry",
          "format": "DOCKER",
          "kmsKeyName": "projects/my-project/locations/europe-west3/keyRings/ring/cryptoKeys/key",
          "labels": {
            "team": "a",
          },
          "location": "europe-west3",
          "mode": "REMOTE_REPOSITORY",
          "project": "my-project",
          "remoteRepositoryConfig": {
            "description": "ghcr.io",
            "dockerRepository": {
              "customRepository": {
                "uri": "https://ghcr.io",
              },
            },
            "upstreamCredentials": {
              "usernamePasswordCredentials": {
                "passwordSecretVersion": "registry-upstream-password-id/versions/1",
                "username": "us",
              },
            },
          },
          "repositoryId": "images-mirror",
          "vulnerabilityScanningConfig": {
            "enablementConfig": "DISABLED",
          },
        },
        "Repository registry-repository": {
          "cleanupPolicies": [
            {
              "action": "DELETE",
              "condition": {
                "tagState": "TAGGED",
              },
              "id": "rule-1-delete",
            },
            {
              "action": "KEEP",
              "id": "rule-1-newest",
              "mostRecentVersions": {
                "keepCount": 20,
              },
            },
            {
              "action": "KEEP",
              "condition": {
                "newerThan": "2592000s",
                "tagState": "TAGGED",
              },
              "id": "rule-1-days",
            },
            {
              "action": "KEEP",
              "condition": {
                "tagPrefixes": [
                  "v",
                ],
                "tagState": "TAGGED",
              },
              "id": "rule-1-tags",
            },
            {
              "action": "KEEP",
              "condition": {
                "tagPrefixes": [
                  "latest",
                  "sha256-",
                ],
                "tagState": "TAGGED",
              },
              "id": "always",
            },
          ],
          "cleanupPolicyDryRun": true,
          "description": "Container images of registry",
          "dockerConfig": {
            "immutableTags": false,
          },
          "format": "DOCKER",
          "kmsKeyName": "projects/my-project/locations/europe-west3/keyRings/ring/cryptoKeys/key",
          "labels": {
            "team": "a",
          },
          "location": "europe-west3",
          "mode": "STANDARD_REPOSITORY",
          "project": "my-project",
          "repositoryId": "images",
          "vulnerabilityScanningConfig": {
            "enablementConfig": "DISABLED",
          },
        },
        "RepositoryIamMember registry-mirror-group:team@example.com": {
          "location": "europe-west3",
          "member": "group:team@example.com",
          "project": "my-project",
          "repository": "images-mirror",
          "role": "roles/artifactregistry.reader",
        },
        "RepositoryIamMember registry-mirror-serviceAccount:ci@my-project.iam.gserviceaccount.com": {
          "location": "europe-west3",
          "member": "serviceAccount:ci@my-project.iam.gserviceaccount.com",
          "project": "my-project",
          "repository": "images-mirror",
          "role": "roles/artifactregistry.reader",
        },
        "RepositoryIamMember registry-reader-group:team@example.com": {
          "location": "europe-west3",
          "member": "group:team@example.com",
          "project": "my-project",
          "repository": "images",
          "role": "roles/artifactregistry.reader",
        },
        "RepositoryIamMember registry-writer-serviceAccount:ci@my-project.iam.gserviceaccount.com": {
          "location": "europe-west3",
          "member": "serviceAccount:ci@my-project.iam.gserviceaccount.com",
          "project": "my-project",
          "repository": "images",
          "role": "roles/artifactregistry.writer",
        },
        "Secret registry-upstream-password": {
          "labels": {
            "team": "a",
          },
          "project": "my-project",
          "replication": {
            "auto": {},
          },
          "secretId": "images-mirror-password",
        },
        "SecretIamMember registry-upstream-password": {
          "member": "serviceAccount:service-1@gcp-sa-artifactregistry.iam.gserviceaccount.com",
          "role": "roles/secretmanager.secretAccessor",
          "secretId": "registry-upstream-password-id",
        },
        "SecretVersion registry-upstream-password": {
          "secret": "registry-upstream-password-id",
          "secretData": {
            "secret": "the-upstream-password",
          },
        },
        "ServiceIdentity registry-identity": {
          "project": "my-project",
          "service": "artifactregistry.googleapis.com",
        },
      }
    `);
  });

  it("tells where to push and how to log in", async () => {
    const { result } = await make(full);
    const host = "europe-west3-docker.pkg.dev";
    expect(await valueOf(result.repositoryPrefix)).toEqual({ value: `${host}/my-project/images`, secret: false });
    expect((await valueOf(result.endpoint)).value).toBe(`https://${host}`);
    expect((await valueOf(result.mirrorRepositoryPrefix)).value).toBe(`${host}/my-project/images-mirror`);
    expect((await valueOf(result.loginCommand)).value).toBe(`gcloud auth configure-docker ${host} --quiet`);
    expect(await valueOf(result.password)).toEqual({ value: "the-google-token", secret: true });
    expect(await valueOf(result.credentials)).toEqual({ value: { oauth2accesstoken: "the-google-token" }, secret: true });
  });

  it("gives the user's provider to every child and call", async () => {
    const { resources, calls } = await mocked(() => {
      const provider = new Provider("theirs", { project: "other" });
      return new ArtifactRegistry("registry", full, { provider });
    }, clouds);
    const children = resources.filter(({ name }) => name !== "theirs");
    expect(children).toHaveLength(10);
    expect(calls).toHaveLength(1);
    for (const { provider } of [...children, ...calls]) {
      expect(provider).toContain("pulumi:providers:gcp::theirs::");
    }
  });

  it("has no secret in clear in state", async () => {
    const { resources, components } = await make(full);
    expect(components.map(({ inputs }) => inputs)).toEqual([{}]);
    const version = resources.find(({ type }) => type.endsWith(":SecretVersion"));
    expect(version?.inputs.secretData).toEqual({ secret: "the-upstream-password" });
  });

  it("takes another upstream and another key under the mirror's name", async () => {
    const { resources } = await make(full);
    expect(resources.filter(({ deleteBeforeReplace }) => deleteBeforeReplace).map(({ name }) => name)).toEqual([
      "registry-mirror",
    ]);
  });

  it("has names for who may pull from its mirror that no other registry's readers have", async () => {
    const { resources } = await mocked(
      () => [
        new ArtifactRegistry("registry", { ...full, artifactRegistry: { ...full.artifactRegistry, repository: "images" } }),
        new ArtifactRegistry("registry-mirror", { artifactRegistry: { ...full.artifactRegistry, repository: "others" } }),
      ],
      clouds,
    );
    const names = resources.map(({ type, name }) => `${type}::${name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it("refuses wrong arguments before it makes anything", async () => {
    await expect(make({})).rejects.toThrow(/artifactRegistry\.location: is missing/);
  });

  it("has a name that Google takes, whatever the component's is", () => {
    expect(["Team_A.Registry", "1st-registry-", "9", "x".repeat(70)].map(repositoryIdOf)).toEqual([
      "team-a-registry",
      "st-registry",
      "registry",
      "x".repeat(50),
    ]);
  });
});

describe("cleanup policies", () => {
  it("are none without a rule", () => {
    expect(cleanupPolicies({})).toEqual([]);
  });

  it("delete what no reason keeps", () => {
    const packageNamePrefixes = ["team-a/"];
    expect(
      cleanupPolicies({ retention: [{ repositories: ["team-a/*"], keepNewest: 5, keepDays: 30, keepTags: ["v*"] }] }),
    ).toEqual([
      { id: "rule-1-delete", action: "DELETE", condition: { tagState: "TAGGED", packageNamePrefixes } },
      { id: "rule-1-newest", action: "KEEP", mostRecentVersions: { keepCount: 5, packageNamePrefixes } },
      { id: "rule-1-days", action: "KEEP", condition: { tagState: "TAGGED", newerThan: "2592000s", packageNamePrefixes } },
      { id: "rule-1-tags", action: "KEEP", condition: { tagState: "TAGGED", tagPrefixes: ["v"], packageNamePrefixes } },
      { id: "always", action: "KEEP", condition: { tagState: "TAGGED", tagPrefixes: ["sha256-"] } },
    ]);
  });

  it("keep every tag for the pattern of all", () => {
    expect(cleanupPolicies({ retention: [{ keepNewest: 1, keepTags: ["*"] }], alwaysKeepTags: ["*"] }).slice(2)).toEqual([
      { id: "rule-1-tags", action: "KEEP", condition: { tagState: "TAGGED" } },
      { id: "always", action: "KEEP", condition: { tagState: "TAGGED" } },
    ]);
  });

  it.each([undefined, []])("delete untagged images without a dry run when there are no rules for tags: %j", async (retention) => {
    const garbageCollection = { deleteUntagged: true, retention };
    const { resources } = await make({ artifactRegistry: { location: "europe" }, garbageCollection });
    expect(resources[0]?.inputs).toMatchObject({
      cleanupPolicies: [{ id: "untagged", action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: "86400s" } }],
      cleanupPolicyDryRun: false,
    });
  });
});
