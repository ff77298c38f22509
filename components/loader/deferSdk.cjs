"use strict";
/*
 * On every start, @pulumi/pulumi loads much that this program never uses: for functions that are serialized into resources, for
 * programs that drive Pulumi, for traces. With this file, each of these parts loads when it is first used, which saves a second of every
 * `pulumi up`.
 *
 * The parts are named by paths inside the SDK. If a new version moves them, they load at the start again, as they do with
 * CONTAINER_REGISTRY_WHOLE_SDK=true, which helps to distinguish a fault of this file from one of the SDK.
 */
const Module = require("module");
const path = require("path");

const deferred = new Set(["typescript", "@npmcli/arborist", "normalize-package-data", "./automation"]);
const tracing = /^@opentelemetry\/(?!api$)/;
// Before it runs a program, the SDK connects to V8's debugger, to name the files of functions that it can't serialize. There are none here.
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
        // The SDK imports these by name at once; they are functions and classes.
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
