import js from "@eslint/js";
import pulumi from "@pulumi/eslint-plugin";
import { defineConfig, globalIgnores } from "eslint/config";
import typescript from "typescript-eslint";

/**
 * What the rooms of components/ may import of each other: nothing above. `pure` rooms get values and return values or text.
 * docs/design.md draws it; test/unit/structure.test.ts looks for circles within a room.
 */
const rooms = {
  args: { below: [] },
  render: { below: ["args"], pure: true },
  checks: { below: ["args", "render"], pure: true },
  docker: { below: ["args", "render", "checks"] },
  cloud: { below: ["args", "checks"] },
  stores: { below: ["args", "render", "checks", "cloud"] },
  builds: { below: ["args", "checks", "docker"] },
  managed: { below: ["args", "render", "checks", "cloud"] },
  selfHosted: { below: ["args", "render", "checks", "docker", "stores"] },
  swarm: { below: ["args", "render", "checks", "docker", "selfHosted"] },
};
const impure = ["child_process", "fs", "http", "https", "@pulumi/docker", "@pulumi/aws", "@pulumi/azure-native", "@pulumi/gcp"];

const restricted = (files, patterns, paths = []) => ({
  files,
  rules: { "no-restricted-imports": ["error", { patterns, paths }] },
});
const outside = (names, message) => ({ regex: `^(\\.\\./)+(${names.join("|")})(/|$)`, message });

const importRules = [
  ...Object.entries(rooms).map(([room, { below, pure }]) => {
    const above = Object.keys(rooms).filter((each) => each !== room && !below.includes(each));
    return restricted(
      [`components/${room}/**`],
      [
        outside(
          above,
          `components/${room} may import ${["nothing", ...below].slice(below.length > 0 ? 1 : 0).join(", ")} of components/.`,
        ),
        outside(["program", "commands", "scripts", "test", "stacks"], "The package stands on its own."),
      ],
      pure ? impure.map((name) => ({ name, message: `components/${room} is pure.` })) : [],
    );
  }),
  restricted(["program/**", "index.ts"], [outside(["commands", "scripts", "test"], "The program is made of components only.")]),
  restricted(["commands/**"], [outside(["components", "program", "scripts", "test"], "A command knows a registry by its API.")]),
  restricted(["scripts/**"], [outside(["test"], "Tests are for tests.")]),
];

export default defineConfig(
  globalIgnores(["**/.build", "**/.pulumi", "**/sdks", ".quickstart", ".tools", "coverage", "components/types.d.ts"]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [typescript.configs.strictTypeChecked, typescript.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { "@pulumi": pulumi },
    rules: {
      // An Output in a text gives "Calling [toString] on an [Output<T>] is not supported" instead of the value.
      "@pulumi/no-output-in-template-literal": "error",
      "@pulumi/no-output-instance-in-template-literal": "error",
      // A number looks the same in a text and on its own.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true, ignoreVoidOperator: true }],
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      eqeqeq: "error",
    },
  },
  {
    // What beforeAll sets is unset in afterAll when beforeAll failed; the type of a variable can't say so.
    files: ["test/**/*.test.ts"],
    rules: { "@typescript-eslint/no-unnecessary-condition": "off" },
  },
  { files: ["**/*.js", "**/*.cjs"], languageOptions: { sourceType: "commonjs" } },
  {
    files: ["**/*.js", "**/*.cjs", "**/*.mjs"],
    languageOptions: {
      globals: Object.fromEntries(
        ["Buffer", "URL", "URLSearchParams", "__dirname", "console", "fetch", "process"].map((name) => [name, "readonly"]),
      ),
    },
  },
  {
    // The page's script, for browsers.
    files: ["server/**/*.js"],
    languageOptions: { globals: { document: "readonly", navigator: "readonly", setTimeout: "readonly", window: "readonly" } },
  },
  {
    files: ["**/*.mjs"],
    languageOptions: {
      globals: {
        Buffer: "readonly",
        URL: "readonly",
        URLSearchParams: "readonly",
        console: "readonly",
        fetch: "readonly",
        process: "readonly",
      },
    },
  },
  ...importRules,
);
