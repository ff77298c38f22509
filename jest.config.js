"use strict";

const common = {
  transform: { "^.+\\.ts$": ["ts-jest", { tsconfig: "<rootDir>/tsconfig.json", diagnostics: false }] },
  modulePathIgnorePatterns: ["<rootDir>/.tools", "<rootDir>/server/.build"],
};

module.exports = {
  // Not a measure: what takes a second can take a minute on a machine that does other things. A test that hangs ends all the same.
  testTimeout: 300_000,
  testSequencer: "<rootDir>/test/support/longestFirst.js",
  projects: [
    {
      ...common,
      displayName: "unit",
      testMatch: ["<rootDir>/test/unit/**/*.test.ts"],
      setupFiles: ["<rootDir>/test/support/unitSetup.ts"],
    },
    {
      ...common,
      displayName: "integration",
      testMatch: ["<rootDir>/test/integration/**/*.test.ts"],
      testPathIgnorePatterns: ["/node_modules/", "integration/swarmEngines"],
      setupFilesAfterEnv: ["<rootDir>/test/support/integrationSetup.ts"],
    },
    {
      // What is most likely to differ from one engine to the next, again on today's.
      ...common,
      displayName: "integration-29",
      testMatch: ["singleNode", "builtImages", "rotation", "garbageCollection", "mirror", "swarmEngines"].map(
        (name) => `<rootDir>/test/integration/${name}.test.ts`,
      ),
      globalSetup: "<rootDir>/test/support/engine29Begin.ts",
      globalTeardown: "<rootDir>/test/support/engine29End.ts",
      setupFilesAfterEnv: ["<rootDir>/test/support/integrationSetup.ts", "<rootDir>/test/support/engine29Choice.ts"],
    },
  ],
};
