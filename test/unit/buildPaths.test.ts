import * as fs from "fs";
import { imageBuildProblems } from "../../components/builds/checks";
import { CleanUp } from "../support/cleanUp";
import { Workspace } from "../support/clients";

const cleanUp = new CleanUp();
const files = cleanUp.add(new Workspace());
// Disposed of before the folder around it.
cleanUp.add({ dispose: () => fs.chmodSync(at("hidden"), 0o755) });
const at = (name: string): string => `${files.folder}/${name}`;
for (const context of ["whole", "closed", "hidden", "folder", "private", "read"]) {
  files.write(`${context}/Dockerfile`, "FROM scratch\n");
}
files.write("folder/.dockerignore/x", "");
files.write("private/.dockerignore", "x\n");
fs.symlinkSync("circle", at("circle"));
const modes: [string, number][] = [
  ["", 0o755],
  ["closed", 0o311],
  ["hidden", 0o644],
  ["private/.dockerignore", 0],
  ["read/Dockerfile", 0],
];
modes.forEach(([name, mode]) => fs.chmodSync(at(name), mode));

/** What is wrong, as somebody who isn't root sees it. */
function seen(context: string, dockerfile?: string): string[] {
  const isRoot = process.geteuid?.() === 0;
  try {
    if (isRoot) {
      process.seteuid?.(65534);
    }
    return imageBuildProblems([{ name: "a", context, dockerfile }]).map(({ key, message }) => `${key}: ${message}`);
  } finally {
    if (isRoot) {
      process.seteuid?.(0);
    }
  }
}

it.each([
  ["nothing", at("missing"), "no such file or directory"],
  ["a file", at("whole/Dockerfile"), "not a directory"],
  ["what is below a file", at("whole/Dockerfile/x"), "not a directory"],
  ["a link to itself", at("circle"), "too many symbolic links encountered"],
  ["too long a name", "x".repeat(300), "name too long"],
  ["a zero byte", "a\0b", "a path has no zero byte"],
  ["a folder nobody may list", at("closed"), "permission denied"],
  ["a folder nobody may enter", at("hidden"), "permission denied"],
  ["what is in such a folder", at("hidden/x"), "permission denied"],
])("a context that is %s is named with the reason", (_, context, reason) => {
  const shown = JSON.stringify(context.length > 100 ? `${context.slice(0, 100)}…` : context);
  expect(seen(context)).toEqual([
    `builds[0].context: ${shown} is not a folder that can be read here (${process.cwd()}): ${reason}; give one, or a Git URL such as https://example.com/app.git#main`,
  ]);
});

it.each([
  ["nothing", "whole", "missing", "no such file or directory"],
  ["a folder", "whole", ".", "not a file"],
  ["what is below a file", "whole", "Dockerfile/x", "not a directory"],
  ["too long a name", "whole", "x".repeat(300), "name too long"],
  ["a zero byte", "whole", "a\0b", "a path has no zero byte"],
  ["a file nobody may read", "read", undefined, "permission denied"],
])("a Dockerfile that is %s is named with the reason", (_, context, dockerfile, reason) => {
  const problems = seen(at(context), dockerfile);
  expect(problems).toEqual([expect.stringMatching(/^builds\[0\]\.dockerfile: .{1,400}; give its path inside the context$/)]);
  expect(problems[0]).toContain(`that can be read: ${reason};`);
});

it.each([
  ["a folder", "folder", "not a file"],
  ["a file nobody may read", "private", "permission denied"],
])("a .dockerignore that is %s is named with the reason", (_, context, reason) => {
  expect(seen(at(context))).toEqual([
    `builds[0].context: ${JSON.stringify(at(`${context}/.dockerignore`))} is not a file that can be read: ${reason}; correct it`,
  ]);
});
