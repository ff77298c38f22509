/** Asks for something once in a run, by its key. A failure is not kept: the next caller may get an answer. */
export function once<T>(answers: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const before = answers.get(key);
  if (before !== undefined) {
    return before;
  }
  const answer = ask();
  answers.set(key, answer);
  answer.catch(() => answers.delete(key));
  return answer;
}
