import {
  ComplianceError,
  ownKey,
  type ParentKey,
  parentKeys,
  type Stream,
  verdictOf,
} from '../../src/index.js';
import { createFailedLists } from './failed-lists.js';
import { isFatal } from './fatal.js';
import { labelOf } from './list-pages.js';
import type { Reading } from './reading.js';

/** The lists of a stream, by the keys of their parents, in the order served. */
export interface ListedParents {
  parents: readonly ParentKey[];
  /** Why some are missing: the roles of one organisation could not be listed, for example. */
  unlisted: ComplianceError | undefined;
}

/**
 * Lists the parents of a stream. Where they are in several lists themselves, one of those may fail: the others are used.
 * @throws ComplianceError when nothing can be read without what failed
 */
export async function listParents({ stream, client, signal, log }: Reading): Promise<ListedParents> {
  const failures = createFailedLists();
  let lists = 0; // of which each may fail

  async function keysIn(above: Stream, parent: ParentKey): Promise<string[]> {
    const keys: string[] = [];
    if (above.parent) lists += 1;
    try {
      for await (const { records } of client.pages(above, { parent, signal })) {
        keys.push(...records.map((record) => ownKey(above, record)));
      }
      failures.succeeded();
      return keys;
    } catch (error) {
      const isAll = !above.parent || signal.aborted || !(error instanceof ComplianceError) || isFatal(error);
      if (isAll) throw error;
      const label = labelOf(parent);
      if (verdictOf(error) === 'gone') {
        log('WARN', `${label} is no longer listed, and its ${above.name} are left out.`);
      } else {
        log('ERROR', `the ${above.name} of ${label} could not be listed. ${error.message} [${error.code}]`);
        if (failures.failed(parent, error)) throw failures.toError(above.name, lists);
      }
      return []; // a part of a list would be a position that means nothing
    }
  }
  async function parentsOf(child: Stream): Promise<ParentKey[]> {
    const above = child.parent?.stream;
    if (!above) return [{}];
    const parents: ParentKey[] = [];
    for (const parent of await parentsOf(above)) {
      parents.push(...parentKeys(child, parent, await keysIn(above, parent)));
    }
    return parents;
  }

  const parents = await parentsOf(stream);
  return { parents, unlisted: failures.toError(stream.parent?.stream.name ?? '', lists) };
}
