"use strict";
// What Node.js needs to run a program of this repository, all of whose TypeScript is loaded so; Pulumi.yaml names this file.
require("./typescript.cjs")("");
require("./package.cjs");
