export * from "./args";
export * from "./storageArgs";
export { AzureStore, type AzureStoreArgs } from "./azureStore";
export { GcsStore, type GcsStoreArgs } from "./gcsStore";
export { RegistryCertificate, type RegistryCertificateArgs } from "./registryCertificate";
export { RegistryImage, type RegistryImageArgs } from "./registryImage";
export { RegistryUsers, type RegistryUsersArgs } from "./registryUsers";
export { S3Store, type S3StoreArgs } from "./s3Store";
export { SingleNodeRegistry, type SingleNodeRegistryArgs } from "./singleNodeRegistry";
