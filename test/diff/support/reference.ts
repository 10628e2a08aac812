import { type ChangeRow, type Row, rowMaker, type Stream, streams } from '../../../src/index.js';
import { recordParser } from '../../../src/model/records.js';
import type { Day } from './made-up-api.js';

/** What a comparison must say, without dates, reasons, and how a list was read. */
export type Expected = Omit<ChangeRow, 'from_date' | 'to_date' | 'reason' | 'label'>;

/** What a day says of one list. */
export type Known = { rows: Map<string, Row> } | 'unknown';

/** Slow and obvious: looks at one list after the other, and at one row after the other. */
export function referenceDiff(before: Day, after: Day): Expected[] {
  const expected: Expected[] = [];
  for (const stream of streams) {
    const names = new Set([before, after].flatMap((day) => Object.keys(day.lists)));
    const singles: { row: Row; change: 'added' | 'removed' }[] = [];
    for (const name of [...names].filter((list) => list.split('/')[0] === stream.name).sort()) {
      const parents = name.split('/').slice(1);
      if (![before, after].some((day) => isTable(stream, day) && isRequested(stream, parents, day))) continue;
      const [one, other] = [before, after].map((day) => known(stream, parents, day)) as [Known, Known];
      const parent = Object.fromEntries(
        parentColumns(stream).map((column, i) => [column, parents[i] ?? null]),
      );
      if (one === 'unknown' || other === 'unknown') {
        expected.push({ ...about(stream, parent), key: parent, change: 'unknown' });
        continue;
      }
      for (const [key, row] of one.rows) {
        const now = other.rows.get(key);
        if (now) expected.push(...differences(stream, row, now));
        else singles.push({ row, change: 'removed' });
      }
      for (const [key, row] of other.rows) if (!one.rows.has(key)) singles.push({ row, change: 'added' });
    }
    if (stream.name === 'users') expected.push(...people(stream, singles));
    else expected.push(...singles.map(({ row, change }) => single(stream, row, change)));
  }
  return expected;
}

const parentColumns = ({ schema, key }: Stream): string[] =>
  schema.primaryKey.filter((name) => !key.includes(name));

/** Whether a day's snapshot has the table. */
const isTable = ({ name }: Stream, { streams: asked }: Day): boolean => asked?.includes(name) ?? true;

/** Whether a day asked for the list: by the lists above it, which were read, it is there, and nobody left its organisation out. */
function isRequested({ name, parent }: Stream, parents: readonly string[], day: Day): boolean {
  if (!day.lists[[name, ...parents].join('/')]) return false;
  if (!parent) return true;
  if (parent.column === 'organization_uuid' && !(day.asked?.includes(parents[0] ?? '') ?? true)) return false;
  const above = parents.slice(0, -1);
  return (
    !day.failing.includes([parent.stream.name, ...above].join('/')) && isRequested(parent.stream, above, day)
  );
}

/** The rows of a list on a day, by key; none where its parent was not there. */
export function known(stream: Stream, parents: readonly string[], day: Day): Known {
  const name = [stream.name, ...parents].join('/');
  const isSome = stream.name === 'organizations' && day.asked !== undefined;
  if (day.failing.includes(name) || !isTable(stream, day) || isSome) return 'unknown';
  if (stream.through) {
    const [first] = (day.lists.organizations ?? []).filter(
      ({ uuid }) => day.asked?.includes(String(uuid)) ?? true,
    );
    if (!first || day.failing.includes(`organization_settings/${first.uuid}`)) return 'unknown';
  }
  const records = day.lists[name];
  if (records && isRequested(stream, parents, day)) {
    const parse = recordParser<object>(stream);
    const added = Object.fromEntries(parentColumns(stream).map((column, i) => [column, parents[i] ?? '']));
    const toRow = rowMaker(stream.schema, added, { surrogates: 0 });
    return {
      rows: new Map(
        records
          .map((record) => toRow(parse(record)))
          .map((row) => [JSON.stringify(stream.key.map((column) => row[column])), row]),
      ),
    };
  }
  if (!stream.parent) return 'unknown';
  const isOfOrganization = parentColumns(stream)[0] === 'organization_uuid';
  if (isOfOrganization && !(day.asked?.includes(parents[0] ?? '') ?? true)) return 'unknown';
  const above = known(stream.parent.stream, parents.slice(0, -1), day);
  return above === 'unknown' ? 'unknown' : { rows: new Map() };
}

const about = ({ name, schema }: Stream, row: Row): Expected => ({
  stream: name,
  organization_uuid: (row.organization_uuid as string | undefined) ?? null,
  key: Object.fromEntries(schema.primaryKey.map((column) => [column, row[column] ?? null])),
  change: 'changed',
  field: null,
  before: null,
  after: null,
  effect: null,
});

/** The columns that can change. */
export const compared = ({ schema, key }: Stream) =>
  schema.fields.filter(({ origin, name }) => (origin === 'api' && !key.includes(name)) || name === 'extra');

const RANKS = ['user', 'developer', 'admin', 'owner'];

function differences(stream: Stream, before: Row, after: Row): Expected[] {
  return compared(stream).flatMap((field): Expected[] => {
    const [one = null, other = null] = [before[field.name], after[field.name]];
    if (meaning(one, field.type) === meaning(other, field.type)) return [];
    const [from, to] = [one, other].map((role) =>
      RANKS.indexOf(role === 'billing' ? 'developer' : String(role)),
    ) as [number, number];
    const isRanked = field.name === 'organization_role' && from >= 0 && to >= 0 && from !== to;
    const effect = isRanked ? (to > from ? 'rose' : 'fell') : null;
    const change = field.name === 'roles' && (one === null || other === null) ? 'unknown' : 'changed';
    return [{ ...about(stream, after), change, field: field.name, before: one, after: other, effect }];
  });
}

/** The same text for values that mean the same. */
export function meaning(value: unknown, type: string): string {
  const [, time, digits = '', offset = 'Z'] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/.exec(String(value)) ?? [];
  if (type === 'timestamp' && time) return `${Date.parse(time + offset)} ${Number(`0.${digits}`)}`;
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return { members: members.map(([name, inner]) => [name, sorted(inner)]) };
}

function single(stream: Stream, row: Row, change: 'added' | 'removed'): Expected {
  const record = Object.fromEntries(
    stream.schema.fields
      .filter(({ origin, name }) => origin === 'api' || name === 'extra')
      .map(({ name }) => [name, row[name] ?? null]),
  );
  const isGrant = stream.name === 'role_permissions';
  const effect = isGrant ? (change === 'added' ? 'rose' : 'fell') : null;
  return { ...about(stream, row), change, [change === 'added' ? 'after' : 'before']: record, effect };
}

/** Who left one organisation and came into another has moved; more of one than of the other are left over. */
function people(stream: Stream, singles: readonly { row: Row; change: 'added' | 'removed' }[]): Expected[] {
  const expected: Expected[] = [];
  for (const id of new Set(singles.map(({ row }) => row.id))) {
    const of = (change: string) =>
      singles
        .filter((one) => one.change === change && one.row.id === id)
        .map(({ row }) => row)
        .sort((a, b) => (String(a.organization_uuid) < String(b.organization_uuid) ? -1 : 1));
    const [left, joined] = [of('removed'), of('added')];
    while (left.length > 0 && joined.length > 0) {
      const [one, other] = [left.shift() as Row, joined.shift() as Row];
      const place = (row: Row) => ({ organization_uuid: row.organization_uuid ?? null });
      expected.push({
        ...about(stream, other),
        change: 'moved',
        field: 'organization_uuid',
        before: place(one),
        after: place(other),
      });
      expected.push(...differences(stream, one, other));
    }
    expected.push(
      ...left.map((row) => single(stream, row, 'removed')),
      ...joined.map((row) => single(stream, row, 'added')),
    );
  }
  return expected;
}
