import { setTimeout as sleep } from "timers/promises";
import { Engine, EngineError } from "./engine";

/** How long what has been stopped may take to let go of something. */
const secondsOfPatience = 60;

/** Deletes what is at a path once nothing uses it any more. */
export async function removeOnceFree(engine: Engine, path: string, inUse: RegExp, signal: AbortSignal): Promise<void> {
  await eventually(secondsOfPatience, signal, async (last) => {
    try {
      await engine.remove(path);
      return true;
    } catch (error) {
      if (last || !(error instanceof EngineError && inUse.test(error.message))) {
        throw error;
      }
      return undefined;
    }
  });
}

/** Asks until there is an answer; `last` when the time is up, and it is the last time that is asked. */
export async function eventually<T>(
  seconds: number,
  signal: AbortSignal,
  ask: (last: boolean) => Promise<T | undefined>,
): Promise<T | undefined> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const last = Date.now() >= end;
    const answer = await ask(last);
    if (answer !== undefined || last) {
      return answer;
    }
    await sleep(200, undefined, { signal });
  }
}
