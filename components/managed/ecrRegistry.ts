import type * as awsEcr from "@pulumi/aws/ecr";
import * as pulumi from "@pulumi/pulumi";
import { givesWay } from "../args/lock";
import { GarbageCollection, Mirror } from "../args/registry";
import { EcrOptions } from "../args/managed";
import { cloudModule } from "../cloud/cloudSdk";
import {
  creationPolicy,
  creationTrust,
  ecrMirrorPrefix,
  ecrProblems,
  EcrSettings,
  lifecyclePolicy,
  repositoryPolicy,
} from "./ecrPolicies";
import { upstreamHost } from "./checks";
import { readArguments, throwProblems } from "../checks/inputs";
import { holdsImages, onceMade } from "../cloud/provisioning";
import { managedOutputs } from "./outputs";

/** A registry in Amazon ECR. */
export interface EcrRegistryArgs {
  /** Where it is, its repositories, and who may use them; `repositories` is required. */
  ecr?: EcrOptions;
  /** Which images Amazon deletes. Default: none. */
  garbageCollection?: GarbageCollection;
  /** A pull-through cache of another registry. Default: none. */
  mirror?: Mirror;
  /** Destroying the component deletes the images too. Default: `false`, the repositories are protected. */
  lab?: boolean;
}

/** Repositories in Amazon Elastic Container Registry: private, encrypted, scanned, with tags that stay what they are. */
export class EcrRegistry extends pulumi.ComponentResource {
  /** URL of the registry. */
  public readonly endpoint: pulumi.Output<string>;
  /** What goes before an image name: `123456789012.dkr.ecr.eu-central-1.amazonaws.com`. */
  public readonly repositoryPrefix: pulumi.Output<string>;
  /** `AWS`, whoever logs in. */
  public readonly username: pulumi.Output<string>;
  /** A token of the identity that Pulumi uses; another one after each `up`, valid for 12 hours. Secret. */
  public readonly password: pulumi.Output<string>;
  /** The token by the user's name. Secret. */
  public readonly credentials: pulumi.Output<Record<string, string>>;
  /** Empty: clients trust Amazon's certificate. */
  public readonly caCertificate: pulumi.Output<string>;
  /** Shell command that logs Docker in with the AWS CLI. */
  public readonly loginCommand: pulumi.Output<string>;
  /** Says that nothing needs to be installed. */
  public readonly trustCommand: pulumi.Output<string>;
  /** `{}`: client engines need nothing. */
  public readonly daemonConfig: pulumi.Output<string>;
  /** Name of the service. */
  public readonly version: pulumi.Output<string>;
  /** What goes before the full name of an image of the mirror's upstream (`library/alpine`); empty without a mirror. */
  public readonly mirrorRepositoryPrefix: pulumi.Output<string>;

  constructor(name: string, args: EcrRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state, the login at the mirror's upstream among them.
    super("container-registry:index:EcrRegistry", name, {}, opts);
    args = readArguments("EcrRegistry", args);
    const settings = { ecr: args.ecr ?? {}, garbageCollection: args.garbageCollection ?? {}, mirror: args.mirror };
    throwProblems(ecrProblems(settings));
    const { ecr } = settings;
    const lab = args.lab ?? false;

    const names = ecr.repositories ?? [];
    const made = [
      ...names.filter((each) => !each.endsWith("/*")).flatMap((each) => this.createRepository(name, each, settings, lab)),
      ...this.createTemplates(name, settings),
      ...(args.mirror === undefined ? [] : this.createMirror(name, args.mirror, settings)),
    ];

    const { getAuthorizationTokenOutput } = cloudModule("@pulumi/aws/ecr");
    const token = getAuthorizationTokenOutput({ region: ecr.region }, { parent: this });
    // Nothing may be pushed to a repository before it exists.
    const host = onceMade(token.proxyEndpoint, made).apply((url) => url.replace(/^https:\/\//, ""));
    const prefix = ecrMirrorPrefix(settings);
    const outputs = managedOutputs({
      host,
      username: token.userName,
      password: token.password,
      loginCommand: pulumi
        .all([host, token.region])
        .apply(
          ([registry, region]) =>
            `aws ecr get-login-password --region ${region} | docker login ${registry} --username AWS --password-stdin`,
        ),
      version: "Amazon ECR",
      mirrorRepositoryPrefix: prefix === undefined ? undefined : pulumi.interpolate`${host}/${prefix}`,
    });
    this.endpoint = outputs.endpoint;
    this.repositoryPrefix = outputs.repositoryPrefix;
    this.username = outputs.username;
    this.password = outputs.password;
    this.credentials = outputs.credentials;
    this.caCertificate = outputs.caCertificate;
    this.loginCommand = outputs.loginCommand;
    this.trustCommand = outputs.trustCommand;
    this.daemonConfig = outputs.daemonConfig;
    this.version = outputs.version;
    this.mirrorRepositoryPrefix = outputs.mirrorRepositoryPrefix;
    this.registerOutputs(outputs);
  }

  private createRepository(name: string, repository: string, settings: EcrSettings, lab: boolean): pulumi.CustomResource[] {
    const { LifecyclePolicy, Repository, RepositoryPolicy } = cloudModule("@pulumi/aws/ecr");
    const { ecr, garbageCollection } = settings;
    const made = new Repository(
      `${name}-${repository}`,
      {
        name: repository,
        region: ecr.region,
        ...mutability(ecr),
        imageScanningConfiguration: { scanOnPush: ecr.scanOnPush ?? true },
        encryptionConfigurations: encryption(ecr),
        forceDelete: lab,
        tags: ecr.tags,
      },
      holdsImages(this, lab),
    );
    const inRepository = { repository: made.name, region: ecr.region };
    // Policies that leave the configuration are deleted, or images would go on being deleted and pulled. A repository that leaves the state
    // keeps them.
    const withRepository = { parent: this, deletedWith: made };
    const lifecycle = lifecyclePolicy(repository, garbageCollection);
    const access = repositoryPolicy(ecr);
    return [
      made,
      ...(lifecycle === undefined
        ? []
        : [new LifecyclePolicy(`${name}-${repository}-lifecycle`, { ...inRepository, policy: lifecycle }, withRepository)]),
      ...(access === undefined
        ? []
        : [new RepositoryPolicy(`${name}-${repository}-access`, { ...inRepository, policy: access }, withRepository)]),
    ];
  }

  /** How ECR makes the repositories that a push or the mirror needs; those are not part of the stack. */
  private createTemplates(name: string, settings: EcrSettings): pulumi.CustomResource[] {
    const { RepositoryCreationTemplate } = cloudModule("@pulumi/aws/ecr");
    const { ecr, garbageCollection } = settings;
    const pushed = (ecr.repositories ?? []).filter((each) => each.endsWith("/*")).map((each) => each.slice(0, -2));
    const mirrored = ecrMirrorPrefix(settings);
    if (pushed.length === 0 && mirrored === undefined) {
      return [];
    }
    const common: Omit<awsEcr.RepositoryCreationTemplateArgs, "appliedFors" | "prefix"> = {
      region: ecr.region,
      customRoleArn: this.createCreationRole(name, ecr),
      encryptionConfigurations: encryption(ecr),
      repositoryPolicy: repositoryPolicy(ecr),
      resourceTags: ecr.tags,
    };
    return [
      ...pushed.map(
        (prefix) =>
          new RepositoryCreationTemplate(
            `${name}-${prefix}-template`,
            {
              ...common,
              prefix,
              appliedFors: ["CREATE_ON_PUSH"],
              ...mutability(ecr),
              lifecyclePolicy: lifecyclePolicy(`${prefix}/*`, garbageCollection),
            },
            { parent: this },
          ),
      ),
      ...(mirrored === undefined
        ? []
        : [
            new RepositoryCreationTemplate(
              // The old name is also that of the template of a prefix `mirror`; this name can't be that of a prefix.
              `${name}-mirror`,
              // A tag of the upstream may move, and is to move here.
              { ...common, prefix: mirrored, appliedFors: ["PULL_THROUGH_CACHE"], imageTagMutability: "MUTABLE" },
              { parent: this, aliases: pushed.includes("mirror") ? [] : [{ name: `${name}-mirror-template` }] },
            ),
          ]),
    ];
  }

  /** The role is needed only for tags and for keys of KMS. */
  private createCreationRole(name: string, { kmsKey, tags }: EcrOptions): pulumi.Output<string> | undefined {
    if (kmsKey === undefined && tags === undefined) {
      return undefined;
    }
    const { Role, RolePolicy } = cloudModule("@pulumi/aws/iam");
    const role = new Role(`${name}-creation`, { assumeRolePolicy: creationTrust, tags }, { parent: this });
    const allowed = new RolePolicy(`${name}-creation`, { role: role.name, policy: creationPolicy(kmsKey) }, { parent: this });
    return onceMade(role.arn, [allowed]);
  }

  private createMirror(name: string, mirror: Mirror, settings: EcrSettings): pulumi.CustomResource[] {
    const { PullThroughCacheRule } = cloudModule("@pulumi/aws/ecr");
    return [
      new PullThroughCacheRule(
        `${name}-mirror`,
        {
          ecrRepositoryPrefix: ecrMirrorPrefix(settings) ?? "",
          upstreamRegistryUrl: upstreamHost(mirror),
          credentialArn: mirror.username === undefined ? undefined : this.createUpstreamLogin(name, mirror, settings.ecr),
          region: settings.ecr.region,
        },
        // Amazon accepts no second rule for a prefix. Images that were pulled stay in their repositories.
        { parent: this, ...givesWay },
      ),
    ];
  }

  /** ECR reads a login from Secrets Manager, under names that begin with `ecr-pullthroughcache/`. */
  private createUpstreamLogin(name: string, { username, password }: Mirror, { region, tags }: EcrOptions): pulumi.Output<string> {
    const { Secret, SecretVersion } = cloudModule("@pulumi/aws/secretsmanager");
    const secret = new Secret(
      `${name}-upstream-login`,
      // Gone at once: it is only a copy of what is in the stack's configuration.
      { namePrefix: "ecr-pullthroughcache/", recoveryWindowInDays: 0, region, tags },
      { parent: this },
    );
    const login = pulumi.secret(pulumi.jsonStringify({ username, accessToken: password }));
    const version = new SecretVersion(
      `${name}-upstream-login`,
      { secretId: secret.id, secretString: login, region },
      { parent: this },
    );
    return onceMade(secret.arn, [version]);
  }
}

function mutability({
  immutableTags = true,
  mutableTags = [],
}: EcrOptions): Pick<awsEcr.RepositoryArgs, "imageTagMutability" | "imageTagMutabilityExclusionFilters"> {
  return mutableTags.length === 0
    ? { imageTagMutability: immutableTags ? "IMMUTABLE" : "MUTABLE" }
    : {
        imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters: mutableTags.map((filter) => ({ filter, filterType: "WILDCARD" })),
      };
}

function encryption({ kmsKey }: EcrOptions): { encryptionType: string; kmsKey?: string }[] {
  return [kmsKey === undefined ? { encryptionType: "AES256" } : { encryptionType: "KMS", kmsKey }];
}
