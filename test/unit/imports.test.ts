import { importsOf, trespasses, writtenFiles } from "../support/imports";
import { run } from "../support/run";
import { projectRoot } from "../support/testStack";

const files = writtenFiles(/\.[cm]?[jt]sx?$/);
const imported = new Map(files.map((file) => [file, importsOf(file).flatMap((each) => each.file ?? [])]));

/** Files that import each other round and round, from one that does to itself again. */
function circle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const walk = (file: string, way: string[]): string[] => {
    if (way.includes(file)) {
      return [...way.slice(way.indexOf(file)), file];
    }
    if (done.has(file)) {
      return [];
    }
    for (const next of graph.get(file) ?? []) {
      const found = walk(next, [...way, file]);
      if (found.length > 0) {
        return found;
      }
    }
    done.add(file);
    return [];
  };
  return [...graph.keys()].map((file) => walk(file, [])).find((found) => found.length > 0) ?? [];
}

// rooms.json says who may import whom.
describe("the imports", () => {
  it("have no circle", () => {
    expect([...imported.values()].flat().length).toBeGreaterThan(1_000);
    expect(circle(imported)).toEqual([]);
  });

  it.each([
    'import "./z2";',
    'export * from "./z2";',
    'import type { Z } from "./z2";',
    'const z = await import("./z2");',
    'type Z = import("./z2").Z;',
    'type Z = typeof import("./z2");',
    "const z = require('./z2');",
  ])("make a circle by %s", (line) => {
    const way = (file: string, text: string): [string, string[]] => [
      `components/args/${file}.ts`,
      importsOf(`components/args/${file}.ts`, text)
        .flatMap((each) => each.file ?? [])
        .map((each) => each.replace(/(z\d)$/, "$1.ts")),
    ];
    expect(circle(new Map([way("z1", line), way("z2", 'import "./z1";')]))).toHaveLength(3);
  });

  it("lead nowhere that a room may not import, and every file is in a room", () => {
    expect(files.flatMap((file) => trespasses(file))).toEqual([]);
  });

  it.each([
    ["components/args/new.ts", 'import { rules } from "../checks/rules";'],
    ["components/args/new.ts", 'export * from "..";'],
    ["components/args/new.ts", 'import type { SwarmRegistry } from "../index";'],
    ["components/args/new.ts", 'import { SwarmRegistry } from "container-registry";'],
    ["components/render/new.ts", 'import "../checks/problems";'],
    ["components/render/new.ts", 'import "fs/promises";'],
    ["components/render/new.ts", 'import "node:fs";'],
    ["components/checks/new.ts", 'import "../docker/engine";'],
    ["components/checks/new.ts", 'import { execFile } from "node:child_process";'],
    ["components/checks/new.ts", 'import * as http from "http";'],
    ["components/checks/new.ts", 'import { Repository } from "@pulumi/aws/ecr";'],
    ["components/checks/new.ts", 'import "../../node_modules/@pulumi/docker";'],
    ["components/checks/new.ts", "await import(name);"],
    ["components/docker/new.ts", 'import "../selfHosted/serverImage";'],
    ["components/managed/new.ts", 'const topology = await import("../swarm/topology");'],
    ["components/managed/new.ts", 'let topology: import("../swarm/topology").Topology;'],
    ["components/managed/new.ts", 'let topology: typeof import("../swarm/topology");'],
    ["components/managed/new.ts", 'import "./../swarm/topology";'],
    ["components/managed/new.ts", 'import "../../components/swarm/topology";'],
    ["components/managed/new.ts", 'import topology = require("../swarm/topology");'],
    ["components/managed/new.ts", "const topology = require('../swarm/topology');"],
    ["components/managed/new.ts", '/// <reference path="../swarm/topology.ts" />'],
    ["components/selfHosted/new.ts", 'import "../swarm/topology";'],
    ["components/swarm/new.ts", 'import "../../program/target";'],
    ["components/swarm/new.ts", 'import "../nowhere/new";'],
    ["components/new.ts", 'import "../test/support/run";'],
    ["components/loader/new.cjs", 'require("../index.ts");'],
    ["components/newRoom/new.ts", ""],
    ["newRoom/new.ts", ""],
    ["program/new.ts", 'import "../test/support/run";'],
    ["index2.ts", 'import "./test/support/run";'],
    ["index2.ts", 'import "./components/swarm/topology";'],
    ["commands/images/new.ts", 'import "../../components";'],
    ["commands/images/new.ts", 'import "@pulumi/pulumi";'],
    ["scripts/new.ts", 'import "../test/support/run";'],
  ])("may not: in %s %s", (file, line) => expect(trespasses(file, line)).toHaveLength(1));

  it.each([
    ["components/swarm/new.ts", 'import "../selfHosted/serverImage";'],
    ["components/checks/new.ts", 'import "../args/registry";'],
    ["components/checks/new.ts", 'import "node:crypto";'],
    ["components/managed/new.ts", 'await import("@pulumi/aws/ecr");'],
    ["commands/images/new.ts", 'import "../registryClient";'],
    ["test/unit/new.test.ts", 'import "../../index";'],
  ])("may: in %s %s", (file, line) => expect(trespasses(file, line)).toEqual([]));

  // Jest can't load eslint.config.mjs; npm run lint applies it.
  it("are refused by the editor too", async () => {
    const script = `
      import { ESLint } from "eslint";
      // The one rule needs no types, and the files aren't there to have any.
      const overrideConfig = [{ files: ["**/*.ts"], languageOptions: { parserOptions: { projectService: false } } }];
      const eslint = new ESLint({ overrideConfig, ruleFilter: ({ ruleId }) => ruleId === "no-restricted-imports" });
      for (const specifier of ["../swarm/topology", "fs", "node:fs", "@pulumi/aws/ecr", "../args/registry", "./rules", "crypto", "@pulumi/pulumi"]) {
        const [{ messages }] = await eslint.lintText('import "' + specifier + '";', { filePath: "components/checks/new.ts" });
        console.log(messages.map(({ message }) => message).join());
      }`;
    const printed = await run("node", ["--input-type=module", "--eval", script], { cwd: projectRoot });
    const said = printed.split("\n").map((line) => /components\/checks may import [^.]*/.exec(line)?.[0]);
    const rooms = "components/checks may import args, render";
    const packages = "components/checks may import @pulumi/pulumi, crypto, net, path";
    expect(said.slice(0, 8)).toEqual([rooms, packages, packages, packages, undefined, undefined, undefined, undefined]);
  });
});
