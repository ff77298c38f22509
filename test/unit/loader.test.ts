import * as fs from "fs";
import * as os from "os";
import * as path from "path";
import { Workspace } from "../support/clients";
import { attempt, run } from "../support/run";

const projectRoot = path.join(__dirname, "..", "..");
const sdk = path.join(projectRoot, "node_modules", "@pulumi", "pulumi");

/** What a script prints that is run with the loader. */
function printedBy(script: string): Promise<string> {
  return run("node", ["--require", path.join(projectRoot, "components", "loader", "index.cjs"), "--eval", script], {
    cwd: projectRoot,
  });
}

describe("the loader of TypeScript", () => {
  it.each([
    ["20.9.1", 1],
    ["20.12.0", 0],
    ["100.0.0", 0],
  ])("ends with Node.js %s: %s", async (version, expected) => {
    const old = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "container-registry-")), "old.cjs");
    fs.writeFileSync(old, `Object.defineProperty(process.versions, "node", { value: "${version}" });`);
    const loader = path.join(projectRoot, "components", "loader", "index.cjs");
    const { code, stderr } = await attempt("node", ["--require", old, "--require", loader, "--eval", ""]);
    fs.rmSync(path.dirname(old), { recursive: true });
    expect(code).toBe(expected);
    expect(stderr.includes(`Node.js 20.12 or newer is needed, and this is ${version}: https://nodejs.org/`)).toBe(code === 1);
  });

  it("leaves out what the SDK loads for nobody", async () => {
    const printed = await printedBy(`
      require("@pulumi/pulumi");
      require("@pulumi/pulumi/cmd/run/tracing");
      const loaded = (part) => Object.keys(require.cache).some((file) => file.includes(part));
      const parts = ["/typescript/", "/arborist/", "/normalize-package-data/", "/pulumi/automation/", "/sdk-trace-node/"];
      console.log(loaded("/pulumi/runtime/"), parts.filter(loaded).length);`);
    expect(printed.trim()).toBe("true 0");
  });

  it("keeps V8's debugger away from the program", async () => {
    const printed = await printedBy(`
      const hooks = require("module").createRequire(${JSON.stringify(path.join(sdk, "cmd", "run", "index.js"))});
      hooks("../../runtime/closure/v8Hooks").isInitializedAsync().then(() => console.log(process.moduleLoadList.includes("NativeModule inspector")));`);
    expect(printed.trim()).toBe("false");
  });

  it("loads it for somebody", async () => {
    const printed = await printedBy(`
      const pulumi = require("@pulumi/pulumi");
      const tracing = require("@pulumi/pulumi/cmd/run/tracing");
      tracing.start("http://127.0.0.1:9/api/v2/spans");
      tracing.stop();
      pulumi.runtime.serializeFunction(() => 42).then(({ text }) =>
        console.log(typeof pulumi.automation.LocalWorkspace.create, /return 42|=> 42/.test(text)));`);
    expect(printed.trim()).toBe("function true");
  });

  it("says nothing of an Output that failed before anybody waited for it", async () => {
    const script = `
      process.on("unhandledRejection", () => undefined);
      const { output } = require("@pulumi/pulumi");
      const failed = output(1).apply(() => { throw new Error("gone") });
      setTimeout(() => Promise.allSettled([failed.promise(), failed.isKnown, failed.isSecret, failed.allResources]), 50);`;
    const words = ["--require", path.join(projectRoot, "components", "loader", "index.cjs"), "--eval", script];
    expect(await attempt("node", words, { cwd: projectRoot })).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("loads the program of this repository whatever else would load TypeScript, as newer versions of Node.js do", async () => {
    const script = `
      require.extensions[".ts"] = () => { throw new Error("by another") };
      require("./components/loader/index.cjs");
      console.log(typeof require("./commands/images/plan").planOf);`;
    expect(await run("node", ["--eval", script], { cwd: projectRoot })).toBe("function");
  });

  it("takes nothing that another compiler has made, or the same by other options", async () => {
    const files = new Workspace();
    const compiler = (version: string, printed: string): void => {
      files.write("node_modules/typescript/package.json", JSON.stringify({ version, main: "main.js" }));
      const outputText = `console.log("${printed}")`;
      const kinds = "ModuleKind: {}, ScriptTarget: {}";
      const made = `module.exports = { ${kinds}, transpileModule: () => (${JSON.stringify({ outputText })}) };`;
      files.write("node_modules/typescript/main.js", made);
    };
    const load = (): Promise<string> =>
      run("node", ["--eval", `require("./loader/typescript.cjs")(""); require("./program.ts")`], { cwd: files.folder });
    const loader = fs.readFileSync(path.join(projectRoot, "components", "loader", "typescript.cjs"), "utf8");
    files.write("program.ts", "");
    files.write("loader/typescript.cjs", loader);
    compiler("1.0.0", "first");
    expect(await load()).toBe("first");
    // The same, which is not asked again.
    compiler("1.0.0", "unseen");
    expect(await load()).toBe("first");
    compiler("1.0.1", "second");
    expect(await load()).toBe("second");
    compiler("1.0.1", "third");
    files.write("loader/typescript.cjs", loader.replace("ES2022", "ES2023"));
    expect(await load()).toBe("third");
    files.dispose();
  });

  it("maps the stack of an error to the line in TypeScript, but not the SDK's own", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "container-registry-loader-"));
    try {
      const file = path.join(folder, "program.ts");
      fs.writeFileSync(file, `interface Gone {\n  lines: number;\n}\nexport const made = (): Error => new Error("here");\n`);
      const printed = await printedBy(`
        require(${JSON.stringify(path.join(projectRoot, "node_modules", "source-map-support", "register"))});
        const { debuggablePromise } = require(${JSON.stringify(path.join(sdk, "runtime", "debuggable"))});
        const promise = Promise.resolve();
        debuggablePromise(promise, "");
        console.log(promise._debugStackTrace);
        console.log(require(${JSON.stringify(file)}).made().stack.split("\\n")[1]);
        const { Config } = require(${JSON.stringify(sdk)});
        try { new Config("program").require("gone") } catch (error) { console.log(error.stack.match(/at Config.require .*/)[0]) }`);
      expect(printed.trim().split("\n")).toEqual([
        "Error",
        expect.stringContaining("program.ts:4:"),
        expect.stringContaining(`${path.join(sdk, "config.js")}:`),
      ]);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

it("gives an ES module each of its names", async () => {
  const script = `
    import * as named from "./components/index.cjs";
    const { default: whole, "module.exports": _, ...names } = named;
    console.log(JSON.stringify([Object.keys(names).sort(), Object.keys(whole).sort()]));`;
  const printed = await run("node", ["--input-type=module", "--eval", script], { cwd: projectRoot });
  const [named, exported] = JSON.parse(printed) as [string[], string[]];
  expect(exported).toContain("SingleNodeRegistry");
  expect(named).toEqual(exported);
});
