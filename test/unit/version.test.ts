import * as fs from "fs";
import * as path from "path";
import { engineVersion, serverVersion } from "../../components/render/version";

const root = path.join(__dirname, "..", "..");
const json = (file: string): { version: string } =>
  JSON.parse(fs.readFileSync(path.join(root, file), "utf8")) as { version: string };

it("names the engine that the bundled server is built from", () => {
  const pinned = /github\.com\/distribution\/distribution\/v3 v(\S+)/.exec(
    fs.readFileSync(path.join(root, "server/go.mod"), "utf8"),
  );
  expect(engineVersion).toBe(pinned?.[1]);
});

it("is one for the program and the package", () => {
  expect(json("package.json").version).toBe(json("components/package.json").version);
  expect(serverVersion()).toBe(`${json("components/package.json").version} (distribution ${engineVersion})`);
});
