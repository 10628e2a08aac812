import { type Day, replacedBy } from '../lake/day.js';
import { type Manifest, type Table, totalsOf } from '../lake/manifest.js';
import { CONNECTOR } from '../version.js';

interface Change {
  action: 'compact' | 'prune' | 'erase';
  tables: Manifest['tables'];
  /** Default: unchanged. */
  status?: Manifest['status'];
}

/** The next manifest of a day: the same evidence, with other files. */
export function rewritten(
  day: Day,
  manifest: Manifest,
  { action, tables, status = manifest.status }: Change,
): Manifest {
  const at = new Date(day.clock.now()).toISOString();
  return {
    ...manifest,
    status,
    written: { action, run_id: day.runId, at, connector: CONNECTOR },
    replaces: replacedBy(day),
    totals: totalsOf(tables),
    tables,
  };
}

/** A table whose slices have no files of their own. */
export const withoutSliceFiles = (table: Table): Table => ({
  ...table,
  slices: table.slices.map((slice) => ({ ...slice, files: [] })),
});
