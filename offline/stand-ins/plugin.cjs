"use strict";
/* node plugin.cjs NAME: serves the stand-in for the provider NAME; what the engine starts in place of an official plugin. */
require("../../components/loader/index.cjs");
const { serve } = require("./provider/server");
const { standIn } = require(`./${process.argv[2]}`);

serve(standIn);
