import type { Json } from '../model/records.js';
import { derivedColumns, type StreamSchema } from '../model/schema.js';

/** How a record came to be what it is in an interval. */
export const beginnings = {
  first_read: 'it was there on the first day',
  added: 'it was not there on any day before that is known',
  returned: 'it was not there the day before, but earlier',
  changed: 'it had other values the day before',
  known_again: 'it was there before days that are not known',
  added_or_earlier: 'the day before is not known, and it was not there before',
} as const;
export type Beginning = keyof typeof beginnings;

/** What followed an interval. */
export type Ending = 'removed' | 'changed' | 'unknown';

/** Days on which a record was the same, or on which nothing is known of it. */
export type HistoryRow = {
  stream: string;
  organization_uuid: string | null;
  key: { [column: string]: Json };
  label: string | null;
  valid_from: string;
  valid_to: string | null;
  state: 'present' | 'unknown';
  began: Beginning | null;
  ended: Ending | null;
  changed: string[] | null;
  record: { [column: string]: Json } | null;
  reason: string | null;
};

const { column, required } = derivedColumns<HistoryRow>();

/** The columns of a history. */
export const historySchema: StreamSchema = {
  name: 'history',
  description:
    'What records were, from day to day: one row for each interval. On a day that none of them covers, the record was not there.',
  fields: [
    required('stream', 'The table that the record is in.'),
    column('organization_uuid', 'The organisation that the record is in.'),
    { ...required('key', 'The key of the record.', 'json'), shape: 'object' },
    column('label', 'How people know the record: its e-mail address or its name, where it was known last.'),
    required('valid_from', 'The first day of the interval.', 'date'),
    column(
      'valid_to',
      'The first day on which it was not so any more; null: it still was on the newest day.',
      'date',
    ),
    required(
      'state',
      'present; unknown: the list was not read completely, so the record may have been there or not.',
    ),
    column(
      'began',
      `Of present. ${Object.entries(beginnings)
        .map(([name, meaning]) => `${name}: ${meaning}.`)
        .join(' ')}`,
    ),
    column(
      'ended',
      'Of present, what followed: removed, changed, unknown; null: it still was so on the newest day.',
    ),
    {
      ...column(
        'changed',
        'Of changed and known_again the columns that differ from the last interval in which it was present.',
        'json',
      ),
      shape: 'array',
    },
    {
      ...column(
        'record',
        'The record on the first day of the interval; null where nothing is known.',
        'json',
      ),
      shape: 'object',
    },
    column('reason', 'Of unknown why the list is not known on the first of its days.'),
  ],
  primaryKey: ['stream', 'key', 'valid_from'],
};
