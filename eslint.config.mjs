import { readFileSync } from "fs";
import path from "path";
import js from "@eslint/js";
import pulumi from "@pulumi/eslint-plugin";
import { defineConfig, globalIgnores } from "eslint/config";
import typescript from "typescript-eslint";

/** Tells in the editor what rooms.json refuses, by how a path is mostly written; test/unit/imports.test.ts finds it however it is. */
const rooms = JSON.parse(readFileSync(new URL("rooms.json", import.meta.url), "utf8"));
// ESLint would look into a file that is named in full.
const ofCode = Object.entries(rooms).filter(([, { files }]) => files.includes("*"));
const importRules = ofCode.map(([name, { files, imports, packages }]) => {
  const folder = path.dirname(files);
  const others = Object.keys(rooms).filter(
    (each) => each !== name && !imports.includes(each) && rooms[each].files.endsWith("/**"),
  );
  const may = (list) => `${folder} may import ${list.join(", ") || "nothing else"}.`;
  const patterns = [
    {
      regex: `^(\\.\\./)+(${others.map((each) => path.basename(path.dirname(rooms[each].files))).join("|")})(/|$)`,
      message: may(imports),
    },
    ...(packages === undefined ? [] : [{ regex: `^(?!\\.|(node:)?(${packages.join("|")})(/|$))`, message: may(packages) }]),
  ];
  return { files: [files], rules: { "no-restricted-imports": ["error", { patterns }] } };
});

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
        ["Buffer", "URL", "URLSearchParams", "__dirname", "__filename", "console", "fetch", "process"].map((name) => [
          name,
          "readonly",
        ]),
      ),
    },
  },
  {
    // The page's script, for browsers.
    files: ["server/**/*.js"],
    languageOptions: { globals: { document: "readonly", navigator: "readonly", setTimeout: "readonly", window: "readonly" } },
  },
  ...importRules,
);
