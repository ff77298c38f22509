import { version } from "../package.json";

/** Release of the registry engine in the bundled server; `server/go.mod` pins it. */
export const engineVersion = "3.1.2";

/** Version of the bundled server. */
export function serverVersion(): string {
  return `${version} (distribution ${engineVersion})`;
}
