import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { Workspace } from "../support/clients";
import { run } from "../support/run";
import { schemaFile } from "../support/schema";
import { projectRoot } from "../support/testStack";

/** What Pulumi writes for Go programs. Its language plugin is not needed: the generator is a package of the CLI's module. */
describe("the package for Go", () => {
  const cleanUp = new CleanUp();

  it("compiles", async () => {
    const workspace = cleanUp.add(new Workspace());
    const generator = path.join(workspace.folder, "generator");
    const generated = path.join(workspace.folder, "generated");
    // Its own files begin their imports with this.
    const made = "example.com/pulumi-container-registry/sdk/go/container-registry";
    fs.cpSync(path.join(projectRoot, "test", "support", "goPackage"), generator, { recursive: true });
    for (const file of ["go.mod", "go.sum"]) {
      const pinned = fs.readFileSync(path.join(projectRoot, "offline", "toolchain", "pulumi", file), "utf8");
      workspace.write(`generator/${file}`, pinned);
      workspace.write(`generated/containerregistry/${file}`, pinned.replace(/^module .*/m, `module ${made}`));
    }
    const go = (cwd: string, ...words: string[]): Promise<string> => run("go", words, { cwd, env: { GOFLAGS: "-mod=mod" } });
    await go(generator, "run", ".", schemaFile, generated);
    await go(path.join(generated, "containerregistry"), "build", "./...");
  });
});
