"use strict";
// Where Node.js enters the package. Pulumi's own TypeScript loader takes its settings from the folder of the program that uses the
// package, and plain Node.js has no such loader.
require("./loader/package.cjs");
// Before it runs this file, Node.js looks in it for the names that an ES module can import.
exports.Access =
  exports.AcrRegistry =
  exports.AcrSku =
  exports.ArtifactRegistry =
  exports.AuditLevel =
  exports.AzureStore =
  exports.BuiltImages =
  exports.EcrRegistry =
  exports.ExternalRegistry =
  exports.GcsStore =
  exports.LogFormat =
  exports.NotifiedAction =
  exports.Publish =
  exports.PullThroughCache =
  exports.RegistryCertificate =
  exports.RegistryUsers =
  exports.S3Store =
  exports.ServerImage =
  exports.SingleNodeRegistry =
  exports.SwarmRegistry =
  exports.TlsMode =
  exports.UpdateOrder =
    undefined;
// For a program in another language, Pulumi runs the package in a process of its own.
if (/@pulumi[/\\]pulumi[/\\]cmd[/\\]run-plugin\b/.test(require.main?.filename)) {
  module.exports = require("./plugin.ts").serve();
} else {
  module.exports = require("./index.ts");
}
