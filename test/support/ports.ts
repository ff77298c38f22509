import { randomInt } from "crypto";
import { createServer } from "net";

/**
 * A TCP port that is free on every address now. It is below the range the kernel takes ports for outgoing connections from,
 * and random, so that a test that runs beside this one hardly gets the same.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    if (await isFree(port)) {
      return port;
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false)).listen(port, "0.0.0.0", () => server.close(() => resolve(true)));
  });
}
