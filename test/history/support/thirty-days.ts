import type { Day, JsonRecord } from '../../diff/support/made-up-api.js';
import type { DatedDay } from './reference.js';

export const [ALPHA, BETA] = ['a', 'b'].map(
  (letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`,
) as [string, string];
const GROUP = 'rbac_group_1';
const MISSING = 12;
/** The week in which the users of one organisation cannot be read. */
const [UNREADABLE_FROM, READABLE_FROM] = [15, 22];

const dateOf = (day: number): string => `2026-11-${String(day).padStart(2, '0')}`;
const user = (name: string, organization_role: string): JsonRecord => ({
  id: `user_01${name}`,
  full_name: name,
  email: `${name}@example.com`,
  organization_role,
  created_at: '2025-01-31T23:59:59Z',
});

/** Who was in the two organisations on a day of the month. */
function dayOf(day: number): Day {
  const from = (first: number, last = 99): boolean => day >= first && day <= last;
  const alpha = [
    user('ada', from(5, 19) ? 'admin' : 'user'),
    ...(from(3, 9) || from(25) ? [user('dora', 'developer')] : []),
    ...(from(1, MISSING - 1) ? [user('fay', 'user')] : []),
    ...(from(28) ? [user('gil', 'user')] : []),
  ];
  const beta = [
    ...(from(1, 17) ? [user('bob', 'user')] : []),
    user('cem', from(17) ? 'owner' : 'user'),
    ...(from(19) ? [user('eve', 'user')] : []),
    ...(from(1, 27) ? [user('gil', 'user')] : []),
    user('hal', 'billing'),
  ];
  const member = { user_id: 'user_01ada', email: 'ada@example.com', created_at: null, updated_at: null };
  return {
    lists: {
      organizations: [ALPHA, BETA].map((uuid) => ({ uuid, name: null, created_at: null })),
      [`users/${ALPHA}`]: alpha,
      [`users/${BETA}`]: beta,
      [`roles/${ALPHA}`]: [],
      [`roles/${BETA}`]: [],
      groups: [{ id: GROUP, name: 'all', roles: [] }],
      [`group_members/${GROUP}`]: from(8) ? [member] : [],
      [`organization_settings/${ALPHA}`]: [{ name: 'mfa', type: 'boolean', value: from(20) }],
      [`organization_settings/${BETA}`]: [],
      api_keys: [{ id: 'key_1', created_by_id: from(14) ? 'user_01hal' : 'user_01ada' }],
    },
    failing: from(UNREADABLE_FROM, READABLE_FROM - 1) ? [`users/${BETA}`] : [],
  };
}

/** November, without the 12th, on which nothing was read. */
export const thirtyDays: readonly DatedDay[] = Array.from({ length: 30 }, (_, i) => i + 1)
  .filter((day) => day !== MISSING)
  .map((day) => ({ date: dateOf(day), day: dayOf(day) }));

/** The same days in an order that is none, and one of them twice. */
export const shuffledDays: readonly DatedDay[] = [
  ...thirtyDays.map((_, i) => thirtyDays[(i * 7 + 3) % thirtyDays.length] as DatedDay),
  thirtyDays[15] as DatedDay,
];

/** What became of every person, by hand: from, to, state, how it began and ended, and the role. */
export const storyOfUsers: Record<string, string[]> = {
  [`${ALPHA} ada`]: [
    '01 05 present first_read changed - user',
    '05 20 present changed changed organization_role admin',
    '20 -- present changed - organization_role user',
  ],
  [`${ALPHA} dora`]: ['03 10 present added removed - developer', '25 -- present returned - - developer'],
  [`${ALPHA} fay`]: ['01 13 present first_read removed - user'],
  [`${ALPHA} gil`]: ['28 -- present added - - user'],
  [`${BETA} bob`]: ['01 15 present first_read unknown - user', '15 22 unknown - - - -'],
  [`${BETA} cem`]: [
    '01 15 present first_read unknown - user',
    '15 22 unknown - - - -',
    '22 -- present known_again - organization_role owner',
  ],
  [`${BETA} eve`]: ['15 22 unknown - - - -', '22 -- present added_or_earlier - - user'],
  [`${BETA} gil`]: [
    '01 15 present first_read unknown - user',
    '15 22 unknown - - - -',
    '22 28 present known_again removed - user',
  ],
  [`${BETA} hal`]: [
    '01 15 present first_read unknown - billing',
    '15 22 unknown - - - -',
    '22 -- present known_again - - billing',
  ],
};

/** Who was an owner in the month, as the README of the warehouses asks. */
export const owners = [
  { state: 'unknown', organization_role: null, valid_from: '2026-11-15', valid_to: '2026-11-22' },
  { state: 'present', organization_role: 'owner', valid_from: '2026-11-22', valid_to: null },
].map((row) => ({ organization_uuid: BETA, id: 'user_01cem', ...row }));

/** Intervals of users as the story has them. */
export function asStory(
  rows: readonly {
    organization_uuid: unknown;
    id: unknown;
    valid_from: unknown;
    valid_to: unknown;
    state: unknown;
    began: unknown;
    ended: unknown;
    changed: readonly string[] | null;
    organization_role: unknown;
  }[],
): Record<string, string[]> {
  const story: Record<string, string[]> = {};
  const day = (date: unknown): string => (date === null ? '--' : String(date).slice(8, 10));
  const sorted = [...rows].sort((a, b) => (String(a.valid_from) < String(b.valid_from) ? -1 : 1));
  for (const row of sorted) {
    const who = `${row.organization_uuid} ${String(row.id).slice('user_01'.length)}`;
    const { state, began, ended, changed, organization_role } = row;
    const words = [state, began, ended, changed?.join('+'), organization_role].map((word) => word ?? '-');
    story[who] = [...(story[who] ?? []), [day(row.valid_from), day(row.valid_to), ...words].join(' ')];
  }
  return Object.fromEntries(Object.entries(story).sort(([a], [b]) => (a < b ? -1 : 1)));
}
