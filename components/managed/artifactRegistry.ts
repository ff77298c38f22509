import type * as google from "@pulumi/gcp/artifactregistry";
import * as pulumi from "@pulumi/pulumi";
import { givesWay } from "../args/lock";
import { GarbageCollection, Mirror } from "../args/registry";
import { ArtifactRegistryOptions } from "../args/managed";
import { artifactRegistryProblems, cleanupPolicies, mirrorIdOf, repositoryIdOf } from "./cleanupPolicies";
import { cloudModule } from "../cloud/cloudSdk";
import { upstreamHost } from "./checks";
import { hubApi } from "../checks/dockerHub";
import { readArguments, throwProblems } from "../checks/inputs";
import { holdsImages, onceMade } from "../cloud/provisioning";
import { managedOutputs } from "./outputs";

/** A registry in Google's Artifact Registry. */
export interface ArtifactRegistryArgs {
  /** Where it is and who may use it; `location` is required. */
  artifactRegistry?: ArtifactRegistryOptions;
  /** Which images Google deletes. Default: none. */
  garbageCollection?: GarbageCollection;
  /** A pull-through cache of another registry. Default: none. */
  mirror?: Mirror;
  /** Destroying the component deletes the images too. Default: `false`, the repositories are protected. */
  lab?: boolean;
}

/** A repository for images in Google's Artifact Registry: private, encrypted, with tags that stay what they are. */
export class ArtifactRegistry extends pulumi.ComponentResource {
  /** URL of the registry. */
  public readonly endpoint: pulumi.Output<string>;
  /** What goes before an image name: `europe-west3-docker.pkg.dev/project/repository`. */
  public readonly repositoryPrefix: pulumi.Output<string>;
  /** `oauth2accesstoken`, whoever logs in. */
  public readonly username: pulumi.Output<string>;
  /** A token of the identity that Pulumi uses; another one after each `up`, valid for an hour. Secret. */
  public readonly password: pulumi.Output<string>;
  /** The token by the user's name. Secret. */
  public readonly credentials: pulumi.Output<Record<string, string>>;
  /** Empty: clients trust Google's certificate. */
  public readonly caCertificate: pulumi.Output<string>;
  /** Shell command that makes Docker log in with the Google Cloud CLI. */
  public readonly loginCommand: pulumi.Output<string>;
  /** Says that nothing needs to be installed. */
  public readonly trustCommand: pulumi.Output<string>;
  /** `{}`: client engines need nothing. */
  public readonly daemonConfig: pulumi.Output<string>;
  /** Name of the service. */
  public readonly version: pulumi.Output<string>;
  /** What goes before the full name of an image of the mirror's upstream (`library/alpine`); empty without a mirror. */
  public readonly mirrorRepositoryPrefix: pulumi.Output<string>;

  constructor(name: string, args: ArtifactRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state, the login at the mirror's upstream among them.
    super("container-registry:index:ArtifactRegistry", name, {}, opts);
    args = readArguments("ArtifactRegistry", args);
    const options = args.artifactRegistry ?? {};
    const garbageCollection = args.garbageCollection ?? {};
    throwProblems(artifactRegistryProblems({ artifactRegistry: options, garbageCollection, mirror: args.mirror }));
    const lab = args.lab ?? false;

    const id = options.repository ?? repositoryIdOf(name);
    const repository = this.createRepository(name, id, options, garbageCollection, lab);
    const mirror = args.mirror === undefined ? undefined : this.createMirror(name, mirrorIdOf(id), args.mirror, options);
    const granted = [
      ...this.grantMembers(`${name}-reader`, repository, "roles/artifactregistry.reader", options.readers),
      ...this.grantMembers(`${name}-writer`, repository, "roles/artifactregistry.writer", options.writers),
      ...(mirror === undefined
        ? []
        : this.grantMembers(
            `${name}-mirror`,
            mirror,
            "roles/artifactregistry.reader",
            [...(options.readers ?? []), ...(options.writers ?? [])],
            // The old name is also that of the readers of a registry called `${name}-mirror`.
            `${name}-mirror-reader`,
          )),
    ];

    const { getClientConfigOutput } = cloudModule("@pulumi/gcp/organizations");
    const { accessToken } = pulumi.secret(getClientConfigOutput({ parent: this }));
    const host = `${options.location}-docker.pkg.dev`;
    const outputs = managedOutputs({
      host,
      repositoryPrefix: onceMade(repository.registryUri, granted),
      username: "oauth2accesstoken",
      password: accessToken,
      loginCommand: `gcloud auth configure-docker ${host} --quiet`,
      version: "Google Artifact Registry",
      mirrorRepositoryPrefix: mirror === undefined ? undefined : onceMade(mirror.registryUri, granted),
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

  private createRepository(
    name: string,
    id: string,
    options: ArtifactRegistryOptions,
    garbageCollection: GarbageCollection,
    lab: boolean,
  ): google.Repository {
    const { Repository } = cloudModule("@pulumi/gcp/artifactregistry");
    return new Repository(
      `${name}-repository`,
      {
        ...common(id, options),
        description: `Container images of ${name}`,
        mode: "STANDARD_REPOSITORY",
        dockerConfig: { immutableTags: options.immutableTags ?? true },
        cleanupPolicies: cleanupPolicies(garbageCollection),
        // Without rules for tags there is nothing to try out.
        cleanupPolicyDryRun: (garbageCollection.retention ?? []).length > 0 && garbageCollection.retentionDryRun !== false,
      },
      holdsImages(this, lab),
    );
  }

  private grantMembers(
    name: string,
    repository: google.Repository,
    role: string,
    members: readonly string[] = [],
    before = name,
  ): pulumi.CustomResource[] {
    const { RepositoryIamMember } = cloudModule("@pulumi/gcp/artifactregistry");
    const { location, project } = repository;
    return members.map(
      (member) =>
        new RepositoryIamMember(
          `${name}-${member}`,
          { repository: repository.repositoryId, location, project, role, member },
          { parent: this, aliases: before === name ? [] : [{ name: `${before}-${member}` }] },
        ),
    );
  }

  /** A remote repository: what is pulled from it comes from the upstream, once. */
  private createMirror(name: string, id: string, mirror: Mirror, options: ArtifactRegistryOptions): google.Repository {
    const { Repository } = cloudModule("@pulumi/gcp/artifactregistry");
    const { username, password } = mirror;
    const host = upstreamHost(mirror);
    return new Repository(
      `${name}-mirror`,
      {
        ...common(id, options),
        description: `Images of ${host}, kept for ${name}`,
        mode: "REMOTE_REPOSITORY",
        remoteRepositoryConfig: {
          description: host,
          dockerRepository:
            host === hubApi ? { publicRepository: "DOCKER_HUB" } : { customRepository: { uri: `https://${host}` } },
          ...(username === undefined || password === undefined
            ? {}
            : {
                upstreamCredentials: {
                  usernamePasswordCredentials: {
                    username,
                    passwordSecretVersion: this.createUpstreamPassword(name, id, password, options),
                  },
                },
              }),
        },
      },
      // Not protected: it holds only what the upstream has too. Google accepts no second repository of the same name.
      { parent: this, ...givesWay },
    );
  }

  /** Artifact Registry reads a password from Secret Manager, with an identity of its own that may read it. */
  private createUpstreamPassword(
    name: string,
    id: string,
    password: pulumi.Input<string>,
    { project, labels }: ArtifactRegistryOptions,
  ): pulumi.Output<string> {
    const { ServiceIdentity } = cloudModule("@pulumi/gcp/projects");
    const { Secret, SecretIamMember, SecretVersion } = cloudModule("@pulumi/gcp/secretmanager");
    const parent = { parent: this };
    const login = `${name}-upstream-password`;
    const identity = new ServiceIdentity(`${name}-identity`, { service: "artifactregistry.googleapis.com", project }, parent);
    const secret = new Secret(login, { secretId: `${id}-password`, replication: { auto: {} }, project, labels }, parent);
    const access = new SecretIamMember(
      login,
      { secretId: secret.id, role: "roles/secretmanager.secretAccessor", member: identity.member },
      parent,
    );
    const version = new SecretVersion(login, { secret: secret.id, secretData: pulumi.secret(password) }, parent);
    return onceMade(version.name, [access]);
  }
}

/** What a repository for images and a mirror have in common. */
function common(
  repositoryId: string,
  { location, project, kmsKey, scan, labels }: ArtifactRegistryOptions,
): Pick<
  google.RepositoryArgs,
  "repositoryId" | "location" | "project" | "format" | "kmsKeyName" | "vulnerabilityScanningConfig" | "labels"
> {
  return {
    repositoryId,
    location,
    project,
    format: "DOCKER",
    kmsKeyName: kmsKey,
    vulnerabilityScanningConfig: { enablementConfig: scan === false ? "DISABLED" : "INHERITED" },
    labels,
  };
}
