import type { Json } from '../../../src/index.js';
import type { Day, JsonRecord } from '../../diff/support/made-up-api.js';
import type { DatedDay } from './reference.js';
import { ALPHA } from './thirty-days.js';

/** Some of them mean the same, and some say what no typed column holds. */
const INSTANTS = [
  '2025-01-31T23:59:59.123456Z',
  '2025-02-01T00:59:59.123456+01:00',
  '2025-01-31T23:59:59.1234567Z',
  '2025-01-31T23:59:59.12345670',
  '2025-01-31T23:59:59.12345678Z',
  '2025-01-31T23:59:59',
  '2025-01-31T23:59:59Z',
  '2025-01-31T23:59:60Z',
  'yesterday',
  5,
  null,
];

const VALUES: Json[] = [
  ...[
    null,
    true,
    false,
    0,
    1,
    1.5,
    1e21,
    '',
    '1',
    'true',
    'null',
    'é',
    'e\u0301',
    'a\nb"c',
    [],
    {},
    [[]],
    [{}],
  ],
  ...[['x', 'y'], ['y', 'x'], [1, '1'], [null]],
  ...[
    { a: 1, b: [true, { c: null }] },
    { b: [true, { c: null }], a: 1 },
    { b: [true, {}], a: 1 },
  ],
  ...[{ a: null }, { a: { b: 1 } }, { 'a.b': 1 }, { 'a[0]': 1 }, { a: [1] }, { created_at: 'x' }],
];

/** Every value of a list on the first day beside every one on the second. */
const pairs = <T>(
  values: readonly T[],
  record: (id: string, value: T) => JsonRecord,
  side: 0 | 1,
): JsonRecord[] =>
  values.flatMap((one, i) => values.map((other, j) => record(`${i} ${j}`, [one, other][side] as T)));

const dayOf = (side: 0 | 1): Day => ({
  lists: {
    organizations: [{ uuid: ALPHA }],
    [`users/${ALPHA}`]: [
      ...pairs(INSTANTS, (id, created_at) => ({ id: `instant ${id}`, created_at }), side),
      ...pairs(
        VALUES,
        (id, undocumented) => ({ id: `extra ${id}`, created_at: '2025-01-31', undocumented }),
        side,
      ),
      ...pairs(
        VALUES,
        (id, value) => ({ id: `none ${id}`, ...(value !== null && { undocumented: value }) }),
        side,
      ),
    ],
    [`organization_settings/${ALPHA}`]: pairs(VALUES, (name, value) => ({ name, value }), side),
  },
  streams: ['organizations', 'users', 'organization_settings'],
  failing: [],
});

/** Two days of records of which each has another pair of values. */
export const pairDays: readonly DatedDay[] = [
  { date: '2026-11-23', day: dayOf(0) },
  { date: '2026-11-24', day: dayOf(1) },
];
