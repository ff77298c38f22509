import * as pulumi from "@pulumi/pulumi";
import { lock } from "../args/lock";
import { nameProblems } from "../checks/container";
import { Problem } from "../checks/problems";

/**
 * Options of a resource that holds images. Without `lab` nothing that Pulumi does takes the images away, by two locks:
 *
 * - `protect`: `destroy`, a switch to another storage and a change that would replace the bucket are refused in preview. With a
 *   mistyped bucket name an `up` would otherwise bring up an empty registry.
 * - `retainOnDelete`: when the bucket is unprotected, to switch on purpose, it leaves the stack and stays in the cloud. With
 *   `protect` alone that would delete an Azure account and all images in it.
 *
 * `lab: true` and an `up` open both. A lock of Azure's own would need the right to make locks, which few deployers have.
 */
export function holdsImages(parent: pulumi.Resource, lab: boolean): pulumi.CustomResourceOptions {
  return { parent, protect: lock(lab), retainOnDelete: lock(lab) };
}

/** Options of a setting of such a resource: a bucket that is kept stays private. */
export function staysWithImages(parent: pulumi.Resource, lab: boolean): pulumi.CustomResourceOptions {
  return { parent, retainOnDelete: lock(lab) };
}

/** The value, once these resources are made: a registry never starts on a store that is only half set up. */
export function onceMade<T>(value: pulumi.Input<T>, resources: readonly pulumi.CustomResource[]): pulumi.Output<T> {
  return pulumi.all([value, ...resources.map(({ id }) => id)]).apply(([known]) => known as T);
}

/** Logical name of a bucket: Pulumi adds some letters to it for the name in the cloud, where fewer characters are allowed. */
export function bucketStem(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 48)
    .replace(/^-+|-+$/g, "");
}

/** The same for Google Cloud, which reserves names that contain "google", even with zeros, and those that begin with "goog". */
export function googleBucketStem(name: string): string {
  return bucketStem(bucketStem(name).replace(/g[o0]{2}gle|^goog/g, "cloud"));
}

/** What is wrong with a component's name that a bucket is named after. */
export function stemProblems(name: string): Problem[] {
  return bucketStem(name) === "" ? nameProblems(name) : [];
}
