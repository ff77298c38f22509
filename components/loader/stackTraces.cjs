"use strict";
/*
 * For every promise the SDK keeps a stack trace, in case it is never resolved, and for every resource it asks for one. To map each
 * frame of them to TypeScript costs a tenth of an `up`. The traces of promises stay as they are, and so do the frames of Pulumi's
 * packages, whose sources are not here; what people see of the program is mapped as before.
 */
const path = require("path");

let mapped = Error.prepareStackTrace;
const inSdk = `${path.sep}@pulumi${path.sep}pulumi${path.sep}runtime${path.sep}debuggable.js`;
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
