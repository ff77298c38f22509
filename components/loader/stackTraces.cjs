"use strict";
/*
 * The SDK keeps a stack trace for every promise, in case it is never resolved, and takes one for every resource. Mapping each of their
 * frames to TypeScript costs a tenth of an `up`. So the traces of promises stay as they are, and so do the frames of Pulumi's packages,
 * whose sources are not here. The frames of the program, which people see, are mapped as before.
 */
const path = require("path");

let mapped = Error.prepareStackTrace;
const inSdk = `${path.sep}@pulumi${path.sep}pulumi${path.sep}runtime${path.sep}debuggable.js`;
const ofPulumi = `${path.sep}node_modules${path.sep}@pulumi${path.sep}`;
// Code that maps frames takes a native frame, one of V8's own, for one without a source.
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
