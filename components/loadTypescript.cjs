"use strict";
/*
 * Loads TypeScript into Node.js: the program's (Pulumi.yaml names this file) and the package's (index.cjs). It stands in for
 * ts-node, which costs every `pulumi up` more than a second: what was translated is kept under the hash of its source, so it
 * can't go stale.
 * Types are checked by `npm run typecheck`, in the editor and in CI.
 */
const { createHash } = require("crypto");
const fs = require("fs");
const Module = require("module");
const path = require("path");

const cache = path.join(__dirname, "node_modules", ".cache");
// Node.js 22 and newer keep what they compiled.
Module.enableCompileCache?.(path.join(cache, "compiled"));

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
  const key = createHash("sha256").update(`${process.version}\0${file}\0`).update(source).digest("hex");
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

require.extensions[".ts"] = (module, file) => module._compile(cached(file, fs.readFileSync(file, "utf8")), file);

/*
 * @pulumi/pulumi loads much on every start that this program never uses: for functions that are serialized into resources, for
 * programs that drive Pulumi, for traces. Each of these loads when somebody does use it. Saves a second.
 */
const deferred = new Set(["typescript", "@npmcli/arborist", "normalize-package-data", "./automation"]);
const tracing = /^@opentelemetry\/(?!api$)/;
// Before a program the SDK connects to V8's debugger, to name the files of functions it would fail to serialize. There are none here.
const debuggerOfProgram = "../../runtime/closure/v8Hooks";
const sdk = `${path.sep}@pulumi${path.sep}pulumi${path.sep}`;
const load = Module._load;
Module._load = function (request, parent, isMain) {
  const withinSdk = parent?.filename?.includes(sdk);
  if (withinSdk && request === debuggerOfProgram) {
    return { isInitializedAsync: () => Promise.resolve() };
  }
  if (!withinSdk || !(deferred.has(request) || tracing.test(request))) {
    return load.call(this, request, parent, isMain);
  }
  let module;
  const loaded = () => (module ??= load.call(Module, request, parent, isMain));
  return new Proxy(
    { __esModule: true },
    {
      get(target, name) {
        if (name === "__esModule") {
          return true;
        }
        // The SDK takes these by name at once; they are functions and classes.
        return tracing.test(request)
          ? callable(() => loaded()[name])
          : name === "default"
            ? (loaded().default ?? loaded())
            : loaded()[name];
      },
    },
  );
};

function callable(find) {
  return new Proxy(function () {}, {
    apply: (target, self, args) => Reflect.apply(find(), self, args),
    construct: (target, args) => Reflect.construct(find(), args),
  });
}

/*
 * For every promise the SDK keeps a stack trace, in case it is never resolved, and for every resource it asks for one. To map each
 * frame of them to TypeScript costs a tenth of an `up`. The traces of promises stay as they are, and so do the frames of Pulumi's
 * packages, whose sources are not here; what people see of the program is mapped as before.
 */
let mapped = Error.prepareStackTrace;
const inSdk = `${sdk}runtime${path.sep}debuggable.js`;
const ofPulumi = `${path.sep}node_modules${path.sep}@pulumi${path.sep}`;
// For those who map, a frame of V8's own has no source.
const unmapped = (frame) => ({ isNative: () => true, toString: () => `${frame}` });
Object.defineProperty(Error, "prepareStackTrace", {
  configurable: true,
  get: () =>
    mapped &&
    ((error, frames) =>
      frames[0]?.getFileName()?.endsWith(inSdk)
        ? `${error}`
        : mapped(
            error,
            frames.map((frame) => (frame.getFileName()?.includes(ofPulumi) ? unmapped(frame) : frame)),
          )),
  set(prepare) {
    mapped = prepare;
  },
});
