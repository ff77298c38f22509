/** What is asked for once in a run, by a key. No failure is kept: the next one who asks may get an answer. */
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
