import type { Json } from '../model/records.js';
import { derivedColumns, type StreamSchema } from '../model/schema.js';

/** What happened to a record, or that it is not known. */
export type ChangeKind = 'added' | 'removed' | 'moved' | 'changed' | 'unknown';

/** One thing that differs between two snapshots, or one that could not be compared. */
export type ChangeRow = {
  from_date: string;
  to_date: string;
  stream: string;
  organization_uuid: string | null;
  key: { [column: string]: Json };
  label: string | null;
  change: ChangeKind;
  field: string | null;
  before: Json;
  after: Json;
  effect: 'rose' | 'fell' | null;
  reason: string | null;
};

const { column, required } = derivedColumns<ChangeRow>();

/** The columns of a comparison. */
export const changesSchema: StreamSchema = {
  name: 'changes',
  description: 'What differs between two snapshots, one row for each record or changed column.',
  fields: [
    required('from_date', 'The run date of the earlier snapshot.', 'date'),
    required('to_date', 'The run date of the later snapshot.', 'date'),
    required('stream', 'The table that the record is in.'),
    column('organization_uuid', 'The organisation that the record is in; of one that moved, the new one.'),
    { ...required('key', 'The key of the record, or of the list that is unknown.', 'json'), shape: 'object' },
    column('label', 'How people know the record: its e-mail address or its name, as of the later snapshot.'),
    required(
      'change',
      'added, removed, moved (to another organisation), changed (one column), or unknown: not compared.',
    ),
    column('field', 'The column that changed; of moved the parent; null where it is about the whole record.'),
    column(
      'before',
      'Its value in the earlier snapshot, or the removed record; of unknown how the list was read.',
      'json',
    ),
    column('after', 'The same in the later snapshot, or the added record.', 'json'),
    column('effect', 'rose or fell, where the change is more or less privilege.'),
    column(
      'reason',
      'Of unknown why. list_added, list_removed: with the organisation, role or group that it belongs to.',
    ),
  ],
  primaryKey: ['from_date', 'to_date', 'stream', 'key', 'change', 'field'],
};
