import * as fs from "fs";
import * as path from "path";
import { badConfigurations } from "../support/badConfigurations";
import { CleanUp } from "../support/cleanUp";
import { attempt } from "../support/run";
import { TestStack } from "../support/testStack";

/** By the real command: the error is there in preview, and in an `up` without one. Unit tests have the whole table. */
describe("a bad configuration", () => {
  const cleanUp = new CleanUp();
  let stack: TestStack;
  let file: string;
  let before: string;

  beforeAll(async () => {
    stack = cleanUp.add(await TestStack.create());
    // Nothing is made, so the default port does no harm; the table's texts have it.
    await stack.unset("port");
    file = path.join(stack.folder, "stacks", `Pulumi.${stack.name}.yaml`);
    before = fs.readFileSync(file, "utf8");
  });

  afterEach(() => {
    fs.writeFileSync(file, before);
  });

  /**
   * Every third row of the table: each preview takes seconds. Left out is what the command would not store as it stands there:
   * numbers for booleans, and keys that are paths.
   */
  const rows = badConfigurations.filter(
    ({ config }, index) =>
      index % 3 === 0 && typeof config.lab !== "number" && !Object.keys(config).some((key) => /[.[]/.test(key)),
  );
  /** Objects go into the configuration as JSON, as a person would type them. */
  const typed = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

  async function refused(command: string, ...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await attempt("pulumi", [command, "--non-interactive", ...words], stack.inFolder());
    expect(code).not.toBe(0);
    expect(await stack.leftOnEngine()).toEqual([]);
    return `${stdout}${stderr}`;
  }

  it.each(rows.map(({ title, config, problems }) => ({ title, config, problems })))(
    "is refused in preview: $title",
    async ({ config, problems }) => {
      await stack.set(Object.fromEntries(Object.entries(config).map(([key, value]): [string, string] => [key, typed(value)])));
      const text = await refused("preview");
      for (const problem of problems) {
        expect(text).toContain(problem.replace(process.cwd(), stack.folder));
      }
    },
  );

  it("is told whole in one error, without a stack trace, and nothing is made by up either", async () => {
    await stack.set({
      hostname: "https://example.com",
      "tls.mode": "sometimes",
      "storage.driver": "floppy",
      image: "registry:3",
    });
    for (const [command, ...words] of [["preview"], ["up", "--yes", "--skip-preview"]] as const) {
      const text = await refused(command, ...words);
      expect(text).toContain("The configuration has 4 problems; nothing was changed:");
      for (const key of ["hostname: ", "tls.mode: ", "storage.driver: ", "image: "]) {
        expect(text).toContain(`- ${key}`);
      }
      expect(text).not.toMatch(/^\s+at .*:\d+:\d+/m);
    }
  });
});
