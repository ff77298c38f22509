import * as fs from "fs";
import * as path from "path";
import { Workspace } from "./clients";

/** Copies into a folder the scripts of this project, and what scripts/pulumi.sh sources besides them. */
export function copyScripts(clone: string): void {
  for (const file of ["scripts", "offline/build-pulumi.sh", "offline/stand-ins.sh"]) {
    fs.cpSync(path.join(__dirname, "..", "..", file), path.join(clone, file), { recursive: true });
  }
}

/** Commands that replace real ones on the PATH; each call is recorded. */
export class FakeCommands extends Workspace {
  private readonly log = this.write("log", "");

  /** Makes or replaces a command: the lines of a shell script. */
  make(name: string, ...body: string[]): this {
    const file = this.write(`bin/${name}`, ["#!/bin/sh", `echo "${name} $*" >> ${this.log}`, ...body, ""].join("\n"));
    fs.chmodSync(file, 0o755);
    return this;
  }

  get env(): { PATH: string } {
    return { PATH: `${this.folder}/bin:${process.env.PATH ?? ""}` };
  }

  /** `env` with a PATH that has everything but one command. */
  envWithout(command: string): { PATH: string } {
    const folders = this.env.PATH.split(":").map((folder) => {
      if (!fs.existsSync(path.join(folder, command))) {
        return folder;
      }
      const links = path.join(this.folder, `without-${command}`, folder);
      fs.mkdirSync(links, { recursive: true });
      for (const name of fs.readdirSync(folder).filter((each) => each !== command)) {
        fs.rmSync(path.join(links, name), { force: true });
        fs.symlinkSync(path.join(folder, name), path.join(links, name));
      }
      return links;
    });
    return { PATH: folders.join(":") };
  }

  /** The calls since the last time this was asked for. */
  calls(): string[] {
    const lines = fs.readFileSync(this.log, "utf8").split("\n").filter(Boolean);
    fs.writeFileSync(this.log, "");
    return lines;
  }
}
