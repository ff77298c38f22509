import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { Workspace } from "../support/clients";
import { run } from "../support/run";
import { projectRoot } from "../support/testStack";

describe("what others know of the package", () => {
  const { folder } = new CleanUp().add(new Workspace());
  beforeAll(() => run("node", [path.join(projectRoot, "scripts", "schema.js"), folder]));

  // A change of it is a change for the package's users. To agree to one: npm run schema
  it.each(["schema.json", "types.d.ts"])("is what its components say: %s", (file) => {
    const [made, kept] = [folder, path.join(projectRoot, "components")].map((each) =>
      fs.readFileSync(path.join(each, file), "utf8"),
    );
    expect(made).toBe(kept);
  });
});
