"use strict";
// What Node.js needs to run this package in any program.
const path = require("path");
const { engines } = require("../package.json");
const needed = engines.node.replace(">=", "");
// An older Node.js fails in the middle of an `up`, with an error that names no version.
if (process.versions.node.localeCompare(needed, "en", { numeric: true }) < 0) {
  const error = new Error(`Node.js ${needed} or newer is needed, and this is ${process.versions.node}: https://nodejs.org/`);
  error.stack = error.message;
  throw error;
}
require("./typescript.cjs")(path.join(__dirname, "..") + path.sep);
if (process.env.CONTAINER_REGISTRY_WHOLE_SDK !== "true") {
  require("./deferSdk.cjs");
}
require("./stackTraces.cjs");
// Some Outputs fail before the SDK waits for them. It reports the failure nevertheless.
process.on("rejectionHandled", () => undefined);
