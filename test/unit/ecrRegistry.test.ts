import { Provider } from "@pulumi/aws/provider";
import { EcrRegistry, EcrRegistryArgs, GarbageCollection } from "../../components";
import { lifecyclePolicy } from "../../components/managed/ecrPolicies";
import { asked, clouds } from "../support/clouds";
import { mocked, valueOf } from "../support/mocks";

const make = (args: EcrRegistryArgs) => mocked(() => new EcrRegistry("registry", args), clouds);

/** Everything that can be asked for. */
const full: EcrRegistryArgs = {
  ecr: {
    region: "eu-central-1",
    repositories: ["team-a/app", "team-b/*"],
    mutableTags: ["latest", "main-*"],
    scanOnPush: false,
    kmsKey: "arn:aws:kms:eu-central-1:123456789012:key/1234",
    readers: ["arn:aws:iam::210987654321:root"],
    writers: ["arn:aws:iam::123456789012:role/ci"],
    tags: { team: "a" },
  },
  garbageCollection: { deleteUntagged: true, retention: [{ keepNewest: 20, keepTags: ["v*"] }], retentionDryRun: false },
  mirror: { username: "us", password: "the-upstream-password" },
  lab: true,
};

describe("a registry in ECR", () => {
  it("is one safe repository with nothing but its name given", async () => {
    const { resources, calls } = await make({ ecr: { repositories: ["app"] } });
    expect(asked(resources)).toMatchInlineSnapshot(`
      {
        "Repository registry-app": {
          "$protect": true,
          "$retainOnDelete": true,
          "encryptionConfigurations": [
            {
              "encryptionType": "AES256",
            },
          ],
          "forceDelete": false,
          "imageScanningConfiguration": {
            "scanOnPush": true,
          },
          "imageTagMutability": "IMMUTABLE",
          "name": "app",
        },
      }
    `);
    expect(calls.map(({ token, inputs }) => ({ token, inputs }))).toEqual([
      { token: "aws:ecr/getAuthorizationToken:getAuthorizationToken", inputs: {} },
    ]);
  });

  it("has everything that can be asked for", async () => {
    const { resources } = await make(full);
    expect(asked(resources)).toMatchInlineSnapshot(`
      {
        "LifecyclePolicy registry-team-a/app-lifecycle": {
          "$deletedWith": "registry-team-a/app",
          "policy": {
            "rules": [
              {
                "action": {
                  "type": "expire",
                },
                "rulePriority": 1,
                "selection": {
                  "countNumber": 1,
                  "countType": "sinceImagePushed",
                  "countUnit": "days",
                  "tagStatus": "untagged",
                },
              },
              {
                "action": {
                  "type": "expire",
                },
                "rulePriority": 2,
                "selection": {
                  "countNumber": 100000,
                  "countType": "imageCountMoreThan",
                  "tagPatternList": [
                    "sha256-*",
                  ],
                  "tagStatus": "tagged",
                },
              },
              {
                "action": {
                  "type": "expire",
                },
                "rulePriority": 3,
                "selection": {
                  "countNumber": 100000,
                  "countType": "imageCountMoreThan",
                  "tagPatternList": [
                    "v*",
                  ],
                  "tagStatus": "tagged",
                },
              },
              {
                "action": {
                  "type": "expire",
                },
                "rulePriority": 4,
                "selection": {
                  "countNumber": 20,
                  "countType": "imageCountMoreThan",
                  "tagPatternList": [
                    "*",
                  ],
                  "tagStatus": "tagged",
                },
              },
            ],
          },
          "region": "eu-central-1",
          "repository": "team-a/app",
        },
        "PullThroughCacheRule registry-mirror": {
          "$deleteBeforeReplace": true,
          "credentialArn": "arn:aws:secretsmanager:secret:ecr-pullthroughcache/1234567",
          "ecrRepositoryPrefix": "docker-hub",
          "region": "eu-central-1",
          "upstreamRegistryUrl": "registry-1.docker.io",
        },
        "Repository registry-team-a/app": {
          "encryptionConfigurations": [
            {
              "encryptionType": "KMS",
              "kmsKey": "arn:aws:kms:eu-central-1:123456789012:key/1234",
            },
          ],
          "forceDelete": true,
          "imageScanningConfiguration": {
            "scanOnPush": false,
          },
          "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
          "imageTagMutabilityExclusionFilters": [
            {
              "filter": "latest",
              "filterType": "WILDCARD",
            },
            {
              "filter": "main-*",
              "filterType": "WILDCARD",
            },
          ],
          "name": "team-a/app",
          "region": "eu-central-1",
          "tags": {
            "team": "a",
          },
        },
        "RepositoryCreationTemplate registry-mirror": {
          "appliedFors": [
            "PULL_THROUGH_CACHE",
          ],
          "customRoleArn": "arn:aws:iam::123456789012:role/registry-creation-1234567",
          "encryptionConfigurations": [
            {
              "encryptionType": "KMS",
              "kmsKey": "arn:aws:kms:eu-central-1:123456789012:key/1234",
            },
          ],
          "imageTagMutability": "MUTABLE",
          "prefix": "docker-hub",
          "region": "eu-central-1",
          "repositoryPolicy": {
            "Statement": [
              {
                "Action": [
                  "ecr:BatchCheckLayerAvailability",
                  "ecr:BatchGetImage",
                  "ecr:GetDownloadUrlForLayer",
                  "ecr:DescribeImages",
                  "ecr:DescribeRepositories",
                  "ecr:ListImages",
                ],
                "Effect": "Allow",
                "Principal": {
                  "AWS": [
                    "arn:aws:iam::210987654321:root",
                  ],
                },
                "Sid": "Pull",
              },
              {
                "Action": [
                  "ecr:BatchCheckLayerAvailability",
                  "ecr:BatchGetImage",
                  "ecr:GetDownloadUrlForLayer",
                  "ecr:DescribeImages",
                  "ecr:DescribeRepositories",
                  "ecr:ListImages",
                  "ecr:InitiateLayerUpload",
                  "ecr:UploadLayerPart",
                  "ecr:CompleteLayerUpload",
                  "ecr:PutImage",
                ],
                "Effect": "Allow",
                "Principal": {
                  "AWS": [
                    "arn:aws:iam::123456789012:role/ci",
                  ],
                },
                "Sid": "PushAndPull",
              },
            ],
            "Version": "2012-10-17",
          },
          "resourceTags": {
            "team": "a",
          },
        },
        "RepositoryCreationTemplate registry-team-b-template": {
          "appliedFors": [
            "CREATE_ON_PUSH",
          ],
          "customRoleArn": "arn:aws:iam::123456789012:role/registry-creation-1234567",
          "encryptionConfigurations": [
            {
              "encryptionType": "KMS",
              "kmsKey": "arn:aws:kms:eu-central-1:123456789012:key/1234",
            },
          ],
          "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
          "imageTagMutabilityExclusionFilters": [
            {
              "filter": "latest",
              "filterType": "WILDCARD",
            },
            {
              "filter": "main-*",
              "filterType": "WILDCARD",
            },
          ],
          "lifecyclePolicy": {
            "rules": [
              {
                "action": {
                  "type": "expire",
                },
                "rulePriority": 1,
                "selection": {
                  "countNumber": 1,
                  "countType": "sinceImagePushed",
                  "countUnit": "days",
                  "tagStatus": "untagged",
                },
              },
              {
                "action": {
                  "type": "expire",
                },
                "rulePriority": 2,
                "selection": {
                  "countNumber": 100000,
                  "countType": "imageCountMoreThan",
                  "tagPatternList": [
                    "sha256-*",
                  ],
                  "tagStatus": "tagged",
                },
              },
              {
                "action": {
                  "type": "expire",
                },
                "rulePriority": 3,
                "selection": {
                  "countNumber": 100000,
                  "countType": "imageCountMoreThan",
                  "tagPatternList": [
                    "v*",
                  ],
                  "tagStatus": "tagged",
                },
              },
              {
                "action": {
                  "type": "expire",
                },
                "rulePriority": 4,
                "selection": {
                  "countNumber": 20,
                  "countType": "imageCountMoreThan",
                  "tagPatternList": [
                    "*",
                  ],
                  "tagStatus": "tagged",
                },
              },
            ],
          },
          "prefix": "team-b",
          "region": "eu-central-1",
          "repositoryPolicy": {
            "Statement": [
              {
                "Action": [
                  "ecr:BatchCheckLayerAvailability",
                  "ecr:BatchGetImage",
                  "ecr:GetDownloadUrlForLayer",
                  "ecr:DescribeImages",
                  "ecr:DescribeRepositories",
                  "ecr:ListImages",
                ],
                "Effect": "Allow",
                "Principal": {
                  "AWS": [
                    "arn:aws:iam::210987654321:root",
                  ],
                },
                "Sid": "Pull",
              },
              {
                "Action": [
                  "ecr:BatchCheckLayerAvailability",
                  "ecr:BatchGetImage",
                  "ecr:GetDownloadUrlForLayer",
                  "ecr:DescribeImages",
                  "ecr:DescribeRepositories",
                  "ecr:ListImages",
                  "ecr:InitiateLayerUpload",
                  "ecr:UploadLayerPart",
                  "ecr:CompleteLayerUpload",
                  "ecr:PutImage",
                ],
                "Effect": "Allow",
                "Principal": {
                  "AWS": [
                    "arn:aws:iam::123456789012:role/ci",
                  ],
                },
                "Sid": "PushAndPull",
              },
            ],
            "Version": "2012-10-17",
          },
          "resourceTags": {
            "team": "a",
          },
        },
        "RepositoryPolicy registry-team-a/app-access": {
          "$deletedWith": "registry-team-a/app",
          "policy": {
            "Statement": [
              {
                "Action": [
                  "ecr:BatchCheckLayerAvailability",
                  "ecr:BatchGetImage",
                  "ecr:GetDownloadUrlForLayer",
                  "ecr:DescribeImages",
                  "ecr:DescribeRepositories",
                  "ecr:ListImages",
                ],
                "Effect": "Allow",
                "Principal": {
                  "AWS": [
                    "arn:aws:iam::210987654321:root",
                  ],
                },
                "Sid": "Pull",
              },
              {
                "Action": [
                  "ecr:BatchCheckLayerAvailability",
                  "ecr:BatchGetImage",
                  "ecr:GetDownloadUrlForLayer",
                  "ecr:DescribeImages",
                  "ecr:DescribeRepositories",
                  "ecr:ListImages",
                  "ecr:InitiateLayerUpload",
                  "ecr:UploadLayerPart",
                  "ecr:CompleteLayerUpload",
                  "ecr:PutImage",
                ],
                "Effect": "Allow",
                "Principal": {
                  "AWS": [
                    "arn:aws:iam::123456789012:role/ci",
                  ],
                },
                "Sid": "PushAndPull",
              },
            ],
            "Version": "2012-10-17",
          },
          "region": "eu-central-1",
          "repository": "team-a/app",
        },
        "Role registry-creation": {
          "assumeRolePolicy": {
            "Statement": [
              {
                "Action": "sts:AssumeRole",
                "Effect": "Allow",
                "Principal": {
                  "Service": "ecr.amazonaws.com",
                },
              },
            ],
            "Version": "2012-10-17",
          },
          "tags": {
            "team": "a",
          },
        },
        "RolePolicy registry-creation": {
          "policy": {
            "Statement": [
              {
                "Action": [
                  "ecr:CreateRepository",
                  "ecr:ReplicateImage",
                  "ecr:TagResource",
                ],
                "Effect": "Allow",
                "Resource": "*",
              },
              {
                "Action": [
                  "kms:CreateGrant",
                  "kms:RetireGrant",
                  "kms:DescribeKey",
                ],
                "Effect": "Allow",
                "Resource": "arn:aws:kms:eu-central-1:123456789012:key/1234",
              },
            ],
            "Version": "2012-10-17",
          },
          "role": "registry-creation-1234567",
        },
        "Secret registry-upstream-login": {
          "namePrefix": "ecr-pullthroughcache/",
          "recoveryWindowInDays": 0,
          "region": "eu-central-1",
          "tags": {
            "team": "a",
          },
        },
        "SecretVersion registry-upstream-login": {
          "region": "eu-central-1",
          "secretId": "registry-upstream-login-id",
          "secretString": {
            "secret": "{"username":"us","accessToken":"the-upstream-password"}",
          },
        },
      }
    `);
  });

  it("tells where to push and how to log in", async () => {
    const { result } = await make(full);
    const host = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
    expect(await valueOf(result.repositoryPrefix)).toEqual({ value: host, secret: false });
    expect((await valueOf(result.endpoint)).value).toBe(`https://${host}`);
    expect((await valueOf(result.mirrorRepositoryPrefix)).value).toBe(`${host}/docker-hub`);
    expect((await valueOf(result.loginCommand)).value).toBe(
      `aws ecr get-login-password --region eu-central-1 | docker login ${host} --username AWS --password-stdin`,
    );
    expect(await valueOf(result.password)).toEqual({ value: "the-amazon-token", secret: true });
  });

  it("gives the user's provider and the region to every child and call", async () => {
    const { resources, calls } = await mocked(() => {
      const provider = new Provider("theirs", { region: "us-east-1" });
      return new EcrRegistry("registry", full, { provider });
    }, clouds);
    const children = resources.filter(({ name }) => name !== "theirs");
    expect(children).toHaveLength(10);
    for (const { provider } of [...children, ...calls]) {
      expect(provider).toContain("pulumi:providers:aws::theirs::");
    }
    const regional = [...children, ...calls].filter((each) => !("type" in each) || !each.type.startsWith("aws:iam/"));
    expect(new Set(regional.map(({ inputs }) => inputs.region))).toEqual(new Set(["eu-central-1"]));
  });

  it("has no secret in clear in state", async () => {
    const { resources, components } = await make(full);
    expect(components.map(({ inputs }) => inputs)).toEqual([{}]);
    const version = resources.find(({ type }) => type.endsWith(":SecretVersion"));
    expect(version?.inputs.secretString).toEqual({ secret: '{"username":"us","accessToken":"the-upstream-password"}' });
  });

  it("ends deletions and access that are taken out of the configuration, and leaves those of a repository that is", async () => {
    const { resources } = await make({ ...full, lab: false });
    const settings = resources.filter(({ type }) => /:(Lifecycle|Repository)Policy$/.test(type));
    expect(settings.map(({ retainOnDelete, deletedWith }) => ({ retainOnDelete, deletedWith }))).toEqual([
      { retainOnDelete: undefined, deletedWith: "registry-team-a/app" },
      { retainOnDelete: undefined, deletedWith: "registry-team-a/app" },
    ]);
  });

  it("takes another upstream under the same prefix", async () => {
    const { resources } = await make(full);
    const rule = resources.find(({ type }) => type.endsWith(":PullThroughCacheRule"));
    expect(rule?.deleteBeforeReplace).toBe(true);
  });

  it.each([
    ["team-b/*", ["registry-mirror-template"]],
    // The name of before is that of the prefix's.
    ["mirror/*", []],
  ])("has a name of the mirror's own for its template, beside the prefix %s", async (prefix, before) => {
    const { resources } = await make({ ...full, ecr: { ...full.ecr, repositories: [prefix] } });
    const templates = resources.filter(({ type }) => type.endsWith(":RepositoryCreationTemplate"));
    expect(templates.map(({ name }) => name)).toEqual(["registry-mirror", `registry-${prefix.slice(0, -2)}-template`]);
    expect(templates[0]?.aliases.map(({ name }) => name)).toEqual(before);
  });

  it("refuses wrong arguments before it makes anything", async () => {
    await expect(make({})).rejects.toThrow(/ecr\.repositories: is missing/);
  });
});

describe("a lifecycle policy", () => {
  const rules = (repository: string, collection: GarbageCollection): unknown =>
    (JSON.parse(lifecyclePolicy(repository, collection) ?? '{"rules":[]}') as { rules: unknown }).rules;
  const tagged = (rulePriority: number, pattern: string, count: object): object => ({
    rulePriority,
    selection: { tagStatus: "tagged", tagPatternList: [pattern], ...count },
    action: { type: "expire" },
  });
  const newest = (countNumber: number): object => ({ countType: "imageCountMoreThan", countNumber });
  /** An image that stays must not lose what was signed and attested of it. */
  const signatures = tagged(1, "sha256-*", newest(100_000));

  it("is none without a rule, or with one that keeps every tag", () => {
    expect(lifecyclePolicy("app", { retention: [{ keepNewest: 5, keepTags: ["*"] }] })).toBeUndefined();
    expect(lifecyclePolicy("app", {})).toBeUndefined();
    expect(lifecyclePolicy("app", { retention: [{ repositories: ["other"], keepNewest: 1 }] })).toBeUndefined();
  });

  it("has the first rule that names the repository", () => {
    const retention = [{ repositories: ["team-a/*"], keepNewest: 5 }, { keepDays: 30 }];
    expect(rules("team-a/app", { retention })).toEqual([signatures, tagged(2, "*", newest(5))]);
    expect(rules("team-a/*", { retention })).toEqual([signatures, tagged(2, "*", newest(5))]);
    const days = { countType: "sinceImagePushed", countUnit: "days", countNumber: 30 };
    expect(rules("team-ab", { retention })).toEqual([signatures, tagged(2, "*", days)]);
    expect(rules("team-b/*", { retention })).toEqual([signatures, tagged(2, "*", days)]);
  });

  it("shields each tag that is to be kept by a rule of its own, before the one that deletes", () => {
    const collection = { retention: [{ keepNewest: 5, keepTags: ["v*", "latest"] }], alwaysKeepTags: ["latest"] };
    expect(rules("app", collection)).toEqual([
      signatures,
      tagged(2, "latest", newest(100_000)),
      tagged(3, "v*", newest(100_000)),
      tagged(4, "*", newest(5)),
    ]);
  });
});
