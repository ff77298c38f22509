/** Does the work for every item, a few at a time, and returns the results in the items' order. The first failure ends it. */
export async function forAll<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      try {
        results[at] = await work(items[at] as T);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  // As many as the client has connections.
  await Promise.all(Array.from({ length: 8 }, worker));
  return results;
}
