import type { Storage } from '../../../src/index.js';
import { MemoryStorage } from '../../root/support/memory-storage.js';
import { type Change, type Moment, violations } from '../invariants.js';
import { type Contents, contentsOf } from './contents.js';
import { stepwise } from './steps.js';

/** A root that watches what is done to it. */
export class Root {
  /** What was done to it that no run may do, as sentences. */
  readonly wrong: string[] = [];
  readonly #used: Set<string>;

  constructor(
    readonly storage: Storage = new MemoryStorage(),
    used: Iterable<string> = [],
  ) {
    this.#used = new Set(used);
  }

  /** The root as one process uses it. In memory, where that takes no time, every change is checked before it is made. */
  open(): Storage {
    if (!(this.storage instanceof MemoryStorage)) return this.storage;
    const own = new Set<string>();
    return stepwise(this.storage, {
      around: async (step, perform) => {
        const change: Change = { step, contents: await this.contents(), used: this.#used, own };
        this.wrong.push(...violations('change', change));
        const result = await perform();
        if (step.operation === 'put' || result === true) own.add(step.key);
        this.#used.add(step.key);
        return result;
      },
    });
  }

  async contents(): Promise<Contents> {
    return this.storage instanceof MemoryStorage ? this.storage.objects : await contentsOf(this.storage);
  }

  /** What is wrong now, and what was done wrong before. */
  async wrongNow(served: Moment['served'], except: readonly string[] = []): Promise<string[]> {
    return [...this.wrong, ...violations('always', { contents: await this.contents(), served }, except)];
  }

  /** Another root that has come the same way. */
  async copy(): Promise<Root> {
    if (!(this.storage instanceof MemoryStorage)) throw new TypeError('only a root in memory is copied');
    return new Root(new MemoryStorage(this.storage.objects), this.#used);
  }
}
