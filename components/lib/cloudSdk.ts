import { createRequire } from "module";
import type * as iam from "@pulumi/aws/iam";
import type * as s3 from "@pulumi/aws/s3";
import type * as authorization from "@pulumi/azure-native/authorization";
import type * as resources from "@pulumi/azure-native/resources";
import type * as azureStorage from "@pulumi/azure-native/storage";
import type * as serviceaccount from "@pulumi/gcp/serviceaccount";
import type * as gcpStorage from "@pulumi/gcp/storage";
import { peerDependencies } from "../package.json";
import { failure } from "./failure";

/** The parts of the clouds' SDKs that the components use. */
export interface CloudModules {
  "@pulumi/aws/iam": typeof iam;
  "@pulumi/aws/s3": typeof s3;
  "@pulumi/azure-native/authorization": typeof authorization;
  "@pulumi/azure-native/resources": typeof resources;
  "@pulumi/azure-native/storage": typeof azureStorage;
  "@pulumi/gcp/serviceaccount": typeof serviceaccount;
  "@pulumi/gcp/storage": typeof gcpStorage;
}

/**
 * Loads a part of a cloud's SDK at the moment it is used: each takes half a second, and only those who use a cloud have its SDK
 * installed.
 */
export function cloudModule<M extends keyof CloudModules>(
  name: M,
  load: (name: string) => unknown = createRequire(__filename),
): CloudModules[M] {
  try {
    return load(name) as CloudModules[M];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "MODULE_NOT_FOUND" || !message.startsWith(`Cannot find module '${name}'`)) {
      throw error;
    }
    const sdk = name.split("/", 2).join("/") as keyof typeof peerDependencies;
    throw failure(
      `storage.provision: ${sdk} is not installed; run npm install ${sdk}@${peerDependencies[sdk]} where package.json is`,
    );
  }
}
