"use strict";
// What Node.js needs to run a program of this repository. All of its TypeScript is loaded this way; Pulumi.yaml names this file.
require("./typescript.cjs")("");
require("./package.cjs");
