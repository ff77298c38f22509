import { setTimeout as sleep } from "timers/promises";

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
