import { BadConfiguration } from "../badConfiguration";
import { storage } from "./options";

const swift = { authUrl: "https://keystone:5000/v3", username: "u", password: "p", container: "images" };

export const badSwift: BadConfiguration[] = [
  {
    title: "a Swift container without a login",
    config: storage("swift", { authUrl: "https://keystone:5000/v3", container: "images" }),
    problems: [
      'storage.swift.username: is missing; storage.driver "swift" needs it',
      'storage.swift.password: is missing; storage.driver "swift" needs it',
    ],
  },
  {
    title: "a project twice",
    config: storage("swift", { ...swift, tenant: "t", tenantId: "i" }),
    problems: ["storage.swift.tenantId: can't be combined with storage.swift.tenant; give one of them"],
  },
  {
    title: "an unknown version of Keystone",
    config: storage("swift", { ...swift, authVersion: 4 }),
    problems: ["storage.swift.authVersion: 4 is not allowed; choose 1, 2, 3"],
  },
  {
    title: "an application credential without its secret",
    config: storage("swift", { authUrl: swift.authUrl, container: "images", applicationCredentialId: "i" }),
    problems: ['storage.swift.applicationCredentialSecret: is missing; storage.driver "swift" needs it'],
  },
  {
    title: "an application credential beside a password, for an old Keystone",
    config: storage("swift", { ...swift, authVersion: 2, applicationCredentialId: "i", applicationCredentialSecret: "s" }),
    problems: [
      "storage.swift.authVersion: 2 is not allowed with an application credential; it needs 3, as in an authUrl that ends in /v3",
      "storage.swift.password: can't be combined with an application credential; give one of them",
    ],
  },
  {
    title: "an application credential by name without whose it is",
    config: storage("swift", {
      ...{ authUrl: swift.authUrl, container: "images" },
      ...{ applicationCredentialName: "n", applicationCredentialSecret: "s" },
    }),
    problems: [
      'storage.swift.username: is missing; storage.driver "swift" needs it',
      "storage.swift.domain: is missing; storage.swift.applicationCredentialName needs it or domainId, as it is a name of that user's",
    ],
  },
  {
    title: "a Keystone whose version nothing tells",
    config: storage("swift", { ...swift, authUrl: "https://keystone:5000/identity" }),
    problems: [
      "storage.swift.authVersion: is missing, and storage.swift.authUrl does not tell it by ending in /v1.0, /v2.0 or /v3; give 1, 2 or 3",
    ],
  },
  {
    title: "temporary URLs for an unknown method",
    config: storage("swift", { ...swift, tempUrlMethods: ["GET", "PATCH"] }),
    problems: ['storage.swift.tempUrlMethods: "PATCH" is not allowed; choose GET, HEAD, PUT, POST, DELETE'],
  },
  {
    title: "a container of spaces",
    config: storage("swift", { ...swift, container: " " }),
    problems: ["storage.swift.container: is empty; leave it out or give a name"],
  },
];
