import { randomInt } from "crypto";
import { AddressInfo, createServer, Server } from "net";

/**
 * A TCP port that is free on every address now. It is below the range from which the kernel takes ports for outgoing connections,
 * and random, so that a test that runs beside this one is unlikely to get the same.
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

/** Makes a server listen on a free port, on loopback alone, and returns the port. */
export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
