import * as fs from "fs";
import * as path from "path";
import { run } from "./run";

/** Makes a folder from which Docker builds an image with commands of this machine: no registry on the internet can be reached. */
export async function debianImage(
  folder: string,
  commands: readonly string[],
  files: Record<string, string> = {},
): Promise<void> {
  const root = path.join(folder, "root");
  const place = (to: string): string => {
    fs.mkdirSync(path.join(root, path.dirname(to)), { recursive: true });
    return path.join(root, to);
  };
  for (const command of commands) {
    const binary = fs.realpathSync((await run("which", [command])).trim());
    const libraries = (await run("ldd", [binary])).match(/\/[^ ]+/g) ?? [];
    fs.copyFileSync(binary, place(`/usr/bin/${command}`));
    libraries.forEach((file) => fs.copyFileSync(file, place(file)));
  }
  for (const [file, content] of Object.entries(files)) {
    fs.writeFileSync(place(file), content);
  }
  fs.writeFileSync(path.join(folder, "Dockerfile"), "FROM scratch\nCOPY root/ /\n");
}
