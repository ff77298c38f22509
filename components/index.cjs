"use strict";
// Where Node.js enters the package. Pulumi's own TypeScript loader takes its settings from the folder of whoever uses the
// package, and plain Node.js has none.
require("./loadTypescript.cjs");
module.exports = require("./index.ts");
