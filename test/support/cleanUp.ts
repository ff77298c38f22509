/** Something that leaves traces on the machine until it is disposed of. */
export interface Disposable {
  dispose(): void | Promise<void>;
}

/** Takes away, at the end of a test file, all that was added: the last first, and each one also when another failed. */
export class CleanUp {
  private readonly things: Disposable[] = [];

  constructor() {
    afterAll(async () => {
      const failures: unknown[] = [];
      for (const thing of this.things.splice(0).reverse()) {
        try {
          await thing.dispose();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) {
        throw new AggregateError(failures, failures.map(String).join("\n"));
      }
    });
  }

  add<T extends Disposable>(thing: T): T {
    this.things.push(thing);
    return thing;
  }
}
