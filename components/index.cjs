"use strict";
// Where Node.js enters the package. Pulumi's own TypeScript loader takes its settings from the folder of whoever uses the
// package, and plain Node.js has none.
require("./loader/package.cjs");
// For a program in another language, Pulumi runs the package in a process of its own.
if (/@pulumi[/\\]pulumi[/\\]cmd[/\\]run-plugin\b/.test(require.main?.filename)) {
  module.exports = require("./plugin.ts").serve();
} else {
  module.exports = require("./index.ts");
}
