import type { Day } from '../../diff/support/made-up-api.js';

export const [ONE, TWO] = ['aaaaaaaa', 'bbbbbbbb'].map((head) => `${head}-0000-4000-8000-000000000000`) as [
  string,
  string,
];

/** Names that break careless spreadsheets, pages and readers. */
export const AWKWARD = [
  '=cmd()',
  '+1',
  '-2',
  '@SUM(1)',
  "'=quoted",
  "'plain",
  '<script>alert(1)</script>',
  '"quoted", and; more\tof it',
  'two\nlines',
  'old\r\nlines\rof two kinds',
  '\u001b[2J\u0000control',
  'lone \ud800 surrogate',
  '\uffff no character',
  'x'.repeat(300),
  'y'.repeat(40_000),
  `${'z'.repeat(31_998)}😀😀`,
  '😀 👩‍🚀 zoë',
  ' edges ',
  '007',
  'TRUE',
  '2026-01-31',
  '_x0041_',
  'null',
  '',
];

/** Those that are no address, or that are written in another way. */
const EMAILS: Record<number, string | null> = { 3: null, 4: '', 8: 'Zoe\u0308@Example.com' };

/** A day on which everybody has an awkward name, in an organisation and in a group, and one person left but for the group. */
export const awkwardDay: Day = {
  lists: {
    organizations: AWKWARD.slice(0, 2).map((name, i) => ({ uuid: [ONE, TWO][i] as string, name })),
    [`users/${ONE}`]: AWKWARD.map((full_name, i) => ({
      id: `user_${i}`,
      full_name,
      email: i in EMAILS ? (EMAILS[i] as string | null) : `Person${i}@Example.com`,
      organization_role: ['owner', 'user', 'primary_owner'][i] ?? 'user',
    })),
    [`users/${TWO}`]: [
      {
        id: 'user_1',
        full_name: AWKWARD[1] as string,
        email: 'other@example.com',
        organization_role: 'admin',
      },
      { id: 'user_two', full_name: 'Two', email: 'two@example.com', organization_role: 'user' },
    ],
    [`roles/${ONE}`]: [{ id: 'rbac_role_1', name: '=role' }],
    [`roles/${TWO}`]: [],
    [`role_permissions/${ONE}/rbac_role_1`]: [
      { action: 'access', resource_type: null, resource_id: null },
      { action: 'capability_access_all', resource_type: null, resource_id: null },
      { action: 'read', resource_type: 'project', resource_id: null },
    ],
    groups: [{ id: 'rbac_group_1', name: '<b>group</b>', roles: ['rbac_role_1'] }],
    'group_members/rbac_group_1': [
      { user_id: 'user_1', email: 'Person1@Example.com' },
      { user_id: 'user_two', email: null },
      { user_id: 'user_gone', email: 'gone@example.com' },
    ],
    [`organization_settings/${ONE}`]: [],
    [`organization_settings/${TWO}`]: [],
    api_keys: [],
  },
  failing: [],
};
