"use strict";

const common = {
  transform: { "^.+\\.ts$": ["ts-jest", { tsconfig: "<rootDir>/tsconfig.json", diagnostics: false }] },
  modulePathIgnorePatterns: ["<rootDir>/.tools", "<rootDir>/image/.build"],
};

module.exports = {
  // Not a measure: what takes a second can take ten on a machine that does other things.
  testTimeout: 60_000,
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
