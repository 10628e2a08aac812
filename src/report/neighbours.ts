import { listStates } from '../diff/list-states.js';
import type { Manifest } from '../lake/manifest.js';
import type { Stream } from '../streams/stream.js';

/** Two days, and the organisations of which both of them know a list, and none between them does. */
export interface Neighbours {
  readonly from: string;
  readonly to: string;
  readonly organizations: string[];
}

/**
 * Finds for each organisation the neighbouring days of which its list is known: so what changed while it could not be read is
 * found, too. Days are added from the earliest. Those of a day whose files are gone cannot be compared: it is left out.
 */
export function neighboursOf(stream: Stream) {
  const { column = '', stream: above } = stream.parent ?? {};
  /** The last day of which the list is known; undefined: there is none. */
  const lastKnown = new Map<string, string | undefined>();
  /** The last day of which it is known which lists there were. */
  let lastListed: string | undefined;
  const pairs = new Map<string, Neighbours>();
  return {
    add(manifest: Manifest): void {
      const { run_date: to, tables, status } = manifest;
      const table = tables[stream.name];
      if (!table || status === 'pruned') return;
      const stateOf = listStates(manifest);
      for (const { parent } of table.slices) {
        const id = parent[column] ?? '';
        // A list that is new was not there on the last day of which it is known which there were.
        if (!lastKnown.has(id)) lastKnown.set(id, lastListed);
      }
      for (const [id, from] of lastKnown) {
        const { state } = stateOf(stream, { [column]: id });
        if (state === 'unknown') continue;
        if (from !== undefined) {
          const pair = pairs.get(`${from} ${to}`) ?? { from, to, organizations: [] };
          pairs.set(`${from} ${to}`, pair);
          pair.organizations.push(id);
        }
        if (state === 'absent') lastKnown.delete(id);
        else lastKnown.set(id, to);
      }
      if (above && stateOf(above, {}).state === 'read') lastListed = to;
    },
    pairs: (): Neighbours[] => [...pairs.values()],
  };
}
