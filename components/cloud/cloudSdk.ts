import { createRequire } from "module";
import * as path from "path";
import type * as ecr from "@pulumi/aws/ecr";
import type * as iam from "@pulumi/aws/iam";
import type * as s3 from "@pulumi/aws/s3";
import type * as awsSecrets from "@pulumi/aws/secretsmanager";
import type * as authorization from "@pulumi/azure-native/authorization";
import type * as containerregistry from "@pulumi/azure-native/containerregistry";
import type * as keyvault from "@pulumi/azure-native/keyvault";
import type * as resources from "@pulumi/azure-native/resources";
import type * as azureStorage from "@pulumi/azure-native/storage";
import type * as artifactregistry from "@pulumi/gcp/artifactregistry";
import type * as organizations from "@pulumi/gcp/organizations";
import type * as projects from "@pulumi/gcp/projects";
import type * as gcpSecrets from "@pulumi/gcp/secretmanager";
import type * as serviceaccount from "@pulumi/gcp/serviceaccount";
import type * as gcpStorage from "@pulumi/gcp/storage";
import { peerDependencies } from "../package.json";
import { failure } from "../checks/failure";

/** The parts of the clouds' SDKs that the components use. */
export interface CloudModules {
  "@pulumi/aws/ecr": typeof ecr;
  "@pulumi/aws/iam": typeof iam;
  "@pulumi/aws/s3": typeof s3;
  "@pulumi/aws/secretsmanager": typeof awsSecrets;
  "@pulumi/azure-native/authorization": typeof authorization;
  "@pulumi/azure-native/containerregistry": typeof containerregistry;
  "@pulumi/azure-native/keyvault": typeof keyvault;
  "@pulumi/azure-native/resources": typeof resources;
  "@pulumi/azure-native/storage": typeof azureStorage;
  "@pulumi/gcp/artifactregistry": typeof artifactregistry;
  "@pulumi/gcp/organizations": typeof organizations;
  "@pulumi/gcp/projects": typeof projects;
  "@pulumi/gcp/secretmanager": typeof gcpSecrets;
  "@pulumi/gcp/serviceaccount": typeof serviceaccount;
  "@pulumi/gcp/storage": typeof gcpStorage;
}

/** The clone that the components run from, whatever folder and language the program has. */
const clone = path.join(__dirname, "..", "..");

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
      `This configuration needs ${sdk}, which is not installed; run npm install ${sdk}@${peerDependencies[sdk]} in ${clone}`,
    );
  }
}
