"use strict";

const common = {
  transform: { "^.+\\.ts$": ["ts-jest", { tsconfig: "<rootDir>/tsconfig.json", diagnostics: false }] },
  modulePathIgnorePatterns: ["<rootDir>/.tools", "<rootDir>/image/.build"],
};

module.exports = {
  // Not a measure: what takes a second can take a minute on a machine that does other things. A test that hangs ends all the same.
  testTimeout: 300_000,
  testSequencer: "<rootDir>/test/support/longestFirst.js",
  projects: [
    { ...common, displayName: "unit", testMatch: ["<rootDir>/test/unit/**/*.test.ts"] },
    {
      ...common,
      displayName: "integration",
      testMatch: ["<rootDir>/test/integration/**/*.test.ts"],
      setupFilesAfterEnv: ["<rootDir>/test/support/integrationSetup.ts"],
    },
  ],
};
