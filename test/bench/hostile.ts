/**
 * Two minutes of hostile clients without a login, 10,000 connections, at a registry in its container with the default limits, beside
 * one client that pushes and one that pulls. Needs root: Docker's proxy takes two files for each connection and stops for good when it
 * has no more, so the hostile clients are on the loopback of the container's own network namespace. Ends with an error if the server was restarted, or a normal client met a failure that no
 * retry cured. Run with: npm run bench:hostile [seconds [connections]]
 */
import { attack } from "../support/attack";
import { TestStack } from "../support/testStack";
import { table } from "../../commands/compare/figures";

async function main(): Promise<void> {
  const seconds = Number(process.argv[2] ?? 120);
  const connections = Number(process.argv[3] ?? 10_000);
  const stack = await TestStack.create();
  try {
    const { pushes, pulls, hostile, server } = await attack(await stack.up(), seconds, connections, true);

    console.log(`${seconds} s, ${connections} connections`);
    console.log(
      table(
        ["hostile clients", "visits"],
        Object.entries(hostile).map(([kind, visits]) => [kind, String(visits)]),
      ),
    );
    console.log(
      table(
        ["normal clients", "images", "failed at first", "no retry cured"],
        Object.entries({ push: pushes, pull: pulls }).map(([name, { done, failedAtFirst, lost }]) => [
          name,
          ...[done, failedAtFirst, lost.length].map(String),
        ]),
      ),
    );
    console.log(
      table(
        ["server's peak MiB", "limit MiB", "restarts", "killed for memory"],
        [
          [
            server.peakMiB?.toFixed(0) ?? "-",
            String(server.limitMiB),
            String(server.restarts),
            server.killedForMemory ? "yes" : "no",
          ],
        ],
      ),
    );
    const lost = [...pushes.lost, ...pulls.lost];
    if (server.restarts > 0 || server.killedForMemory || lost.length > 0) {
      throw new Error(["the server did not bear it", ...new Set(lost)].join("\n"));
    }
  } finally {
    await stack.dispose();
  }
}

void main();
