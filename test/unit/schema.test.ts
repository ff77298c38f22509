import * as fs from "fs";
import * as path from "path";
import { run } from "../support/run";
import { schemaFile } from "../support/schema";
import { projectRoot } from "../support/testStack";

describe("components/schema.json", () => {
  // A change of it is a change for the package's users. To agree to one: npm run schema
  it("is what Pulumi infers from the components", async () => {
    const inferred = await run("node", [path.join(projectRoot, "scripts", "schema.js"), "--print"]);
    expect(inferred.trimEnd()).toBe(fs.readFileSync(schemaFile, "utf8").trimEnd());
  });
});
