"use strict";
/*
 * Loads TypeScript into Node.js. It replaces ts-node, which costs every `pulumi up` more than a second: translated code is kept under the
 * hash of its source and of the translator, so it can't go stale. Types are checked by `npm run typecheck`, in the
 * editor and in CI.
 */
const { createHash } = require("crypto");
const fs = require("fs");
const Module = require("module");
const path = require("path");

const cache = path.join(__dirname, "..", "node_modules", ".cache");
// Node.js 22 and newer keep compiled code.
Module.enableCompileCache?.(path.join(cache, "compiled"));

/** What a translation depends on besides its source: the compiler's version, and its options, which are in this file. */
const translator = [require.resolve("typescript/package.json"), __filename]
  .map((file) => fs.readFileSync(file, "utf8"))
  .join("\0");

function translate(file, source) {
  const ts = require("typescript");
  const { outputText, diagnostics } = ts.transpileModule(source, {
    fileName: file,
    reportDiagnostics: true,
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      inlineSourceMap: true,
      inlineSources: true,
    },
  });
  if (diagnostics?.length) {
    const error = new SyntaxError(
      ts.formatDiagnostics(diagnostics, {
        getCanonicalFileName: (name) => name,
        getCurrentDirectory: () => process.cwd(),
        getNewLine: () => "\n",
      }),
    );
    error.stack = error.message;
    throw error;
  }
  return outputText;
}

function cached(file, source) {
  const key = createHash("sha256").update(`${process.version}\0${translator}\0${file}\0`).update(source).digest("hex");
  const entry = path.join(cache, `${key}.js`);
  try {
    return fs.readFileSync(entry, "utf8");
  } catch {
    const code = translate(file, source);
    try {
      fs.mkdirSync(cache, { recursive: true });
      // The rename keeps a second run from reading half a file.
      fs.writeFileSync(`${entry}.${process.pid}`, code);
      fs.renameSync(`${entry}.${process.pid}`, entry);
    } catch {
      // A read-only checkout works as well, only slower.
    }
    return code;
  }
}

/** Loads the files below a folder. All others are left to the other loader of TypeScript, which may use a tsconfig.json that is not ours. */
module.exports = (folder) => {
  const before = require.extensions[".ts"] ?? require.extensions[".js"];
  require.extensions[".ts"] = (module, file) =>
    file.startsWith(folder) ? module._compile(cached(file, fs.readFileSync(file, "utf8")), file) : before(module, file);
};
