export * from "./args";
export * from "./storageArgs";
export { RegistryCertificate, type RegistryCertificateArgs } from "./registryCertificate";
export { RegistryImage, type RegistryImageArgs } from "./registryImage";
export { RegistryUsers, type RegistryUsersArgs } from "./registryUsers";
export { SingleNodeRegistry, type SingleNodeRegistryArgs } from "./singleNodeRegistry";
