import * as pulumi from "@pulumi/pulumi";
import { ImageBuild, BuiltImages } from "../components";
import { Registry } from "../components/args/outputs";

/** Builds images and pushes them to a registry; returns their references by name. */
export function deployImages(name: string, images: ImageBuild[], registry: Registry): pulumi.Output<Record<string, string>> {
  if (images.length === 0) {
    return pulumi.output<Record<string, string>>({});
  }
  const { repositoryPrefix, endpoint, containerName, username, password } = registry;
  // A push needs a registry that answers, and some of its outputs wait for that.
  const answering = pulumi.all([repositoryPrefix, endpoint, containerName]).apply(([prefix]) => prefix);
  const args = { builds: images, repositoryPrefix: answering, username, password };
  // If the registry runs on a Docker engine, that engine builds.
  const provider = registry.getProvider("docker:index/image:Image");
  return new BuiltImages(name, args, { dependsOn: registry, provider }).references;
}
