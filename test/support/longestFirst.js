"use strict";
const path = require("path");
const Sequencer = require("@jest/test-sequencer").default;

// While a long file that was started last still runs, nothing runs beside it.
const longest = [
  "swarm",
  "swarmOptions",
  "swarmEngines",
  "storeOutage",
  "storageGcs",
  "storageSwift",
  "storageAzure",
  "storageS3",
  "quickStart",
  "mirror",
  "rotation",
];

/** Runs the files that take longest first, and the others in the order that Jest gives them. */
module.exports = class extends Sequencer {
  sort(tests) {
    const place = ({ path: file }) => {
      const index = longest.indexOf(path.basename(file, ".test.ts"));
      return index < 0 ? longest.length : index;
    };
    return [...super.sort(tests)].sort((a, b) => place(a) - place(b));
  }
};
