import * as pulumi from "@pulumi/pulumi";
import { deployImages } from "./program/images";
import { readStackConfig } from "./program/stackConfig";

const name = `${pulumi.getProject()}-${pulumi.getStack()}`;
const config = readStackConfig();
const registry = config.deploy(name);

export const endpoint = registry.endpoint;
export const repositoryPrefix = registry.repositoryPrefix;
export const username = registry.username;
export const password = registry.password;
export const credentials = registry.credentials;
export const caCertificate = registry.caCertificate;
export const certificateExpiresAt = registry.certificateExpiresAt ?? "";
export const loginCommand = registry.loginCommand;
export const trustCommand = registry.trustCommand;
export const daemonConfig = registry.daemonConfig;
export const mirrorEndpoint = registry.mirrorEndpoint ?? "";
export const metricsEndpoint = registry.metricsEndpoint ?? "";
export const scrapeConfig = registry.scrapeConfig ?? "";
export const page = registry.page ?? "";
export const version = registry.version;
export const containerName = registry.containerName ?? "";
export const serviceName = registry.serviceName ?? "";
export const mirrorRepositoryPrefix = registry.mirrorRepositoryPrefix ?? "";
export const images = deployImages(`${name}-images`, config.images, registry);
