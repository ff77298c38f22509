"use strict";
// What Node.js needs to run this package, in whoever's program.
const path = require("path");
require("./typescript.cjs")(path.join(__dirname, "..") + path.sep);
if (process.env.CONTAINER_REGISTRY_WHOLE_SDK !== "true") {
  require("./deferSdk.cjs");
}
require("./stackTraces.cjs");
// Some Outputs fail before the SDK comes to wait for them. It tells of the failure all the same.
process.on("rejectionHandled", () => undefined);
