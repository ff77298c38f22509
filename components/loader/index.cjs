"use strict";
// What Node.js needs to run this package and its program: Pulumi.yaml names this folder for the program, index.cjs for the package.
require("./typescript.cjs");
if (process.env.CONTAINER_REGISTRY_WHOLE_SDK !== "true") {
  require("./deferSdk.cjs");
}
require("./stackTraces.cjs");
// Some Outputs fail before the SDK comes to wait for them. It tells of the failure all the same.
process.on("rejectionHandled", () => undefined);
