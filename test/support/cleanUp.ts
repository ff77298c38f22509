/** Something that leaves traces on the machine until it is disposed of. */
export interface Disposable {
  dispose(): void | Promise<void>;
}

/** At the end of a test file, disposes of everything that was added: the last first, and each even if another one failed. */
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
