import type { Manifest } from '../lake/manifest.js';
import type { Json } from '../model/records.js';
import type { Row } from '../model/rows.js';
import type { ParentKey, Stream } from '../streams/stream.js';
import type { ChangeRow } from './changes.js';
import { type Difference, effectOf } from './compare-rows.js';
import type { Erased } from './erased.js';
import type { ListState } from './list-states.js';
import type { Single } from './moving.js';
import { recordIdentity } from './record-identity.js';

export type ChangeMaker = ReturnType<typeof changeMaker>;

/** Makes the rows of a comparison. */
export function changeMaker(
  stream: Stream,
  { dates, erased }: { dates: Pick<ChangeRow, 'from_date' | 'to_date'>; erased: Erased },
) {
  const { schema, key, isGrant } = stream;
  const { identityOf, recordOf } = recordIdentity(stream);
  const parents = schema.primaryKey.filter((column) => !key.includes(column));
  const about = (row: Row): ChangeRow => ({ ...EMPTY, ...dates, ...identityOf(row) });
  const ofParent = (row: Row): Json =>
    Object.fromEntries(parents.map((column) => [column, row[column] ?? null]));
  const parentRow = (parent: ParentKey): ChangeRow => ({
    ...about({ ...parent }),
    key: { ...parent },
    change: 'unknown',
  });
  return {
    unknownField: (field: string, reason: string): ChangeRow => ({ ...parentRow({}), field, reason }),
    unknownList(parent: ParentKey, [from, to]: readonly [ListState, ListState]): ChangeRow {
      const [one, other] = [from, to].map((state) => (state.state === 'unknown' ? state : undefined));
      return {
        ...parentRow(parent),
        before: one?.how ?? from.state,
        after: other?.how ?? to.state,
        reason: (one ?? other)?.reason ?? null,
      };
    },
    single(single: Single): ChangeRow {
      const { row, change, reason } = single;
      if (erased.hides(single)) return { ...about(row), change: 'unknown', label: null, reason: ERASED };
      const effect = isGrant ? (change === 'added' ? 'rose' : 'fell') : null;
      return {
        ...about(row),
        change,
        [change === 'added' ? 'after' : 'before']: recordOf(row),
        effect,
        reason,
      };
    },
    moved: (one: Row, other: Row): ChangeRow => ({
      ...about(other),
      change: 'moved',
      field: parents.at(-1) ?? null,
      before: ofParent(one),
      after: ofParent(other),
    }),
    changed: (row: Row, differences: readonly Difference[]): ChangeRow[] =>
      differences.map((difference) => {
        const { field, before, after } = difference;
        const changed = { ...about(row), field: field.name, before, after };
        const isUnknown = field.isNullUnknown && (before === null || after === null);
        if (isUnknown) return { ...changed, change: 'unknown', reason: 'value_not_served' };
        if (erased.differs(difference)) return { ...changed, change: 'unknown', reason: ERASED };
        return { ...changed, effect: effectOf(difference) };
      }),
  };
}

/** Why it is not known what changed: somebody was erased on one side only. */
const ERASED = 'erased';

/** The row of a table that neither side has, or that this version does not know. */
export const tableNotRead = (
  stream: string,
  [before, after]: readonly Manifest[],
  reason: string,
): ChangeRow => ({
  ...EMPTY,
  from_date: before?.run_date ?? '',
  to_date: after?.run_date ?? '',
  stream,
  change: 'unknown',
  before: before?.tables[stream] ? 'read' : 'not read',
  after: after?.tables[stream] ? 'read' : 'not read',
  reason,
});

/** What a row says about nothing. */
const EMPTY: ChangeRow = {
  from_date: '',
  to_date: '',
  stream: '',
  organization_uuid: null,
  key: {},
  label: null,
  change: 'changed',
  field: null,
  before: null,
  after: null,
  effect: null,
  reason: null,
};
