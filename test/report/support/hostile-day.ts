import type { Day } from '../../diff/support/made-up-api.js';

/** Texts that break careless pages. */
export const HOSTILE = [
  '<script>alert(1)</script>',
  '</script><script>alert(2)</script>',
  '<!-- <script>alert(3)',
  '"><img src=x onerror=alert(4)>',
  "' onmouseover='alert(5)",
  '</td></table></main><h1>gone</h1>',
  '</title></style></textarea></noscript><svg onload=alert(6)>',
  '=cmd()|calc!A0',
  'javascript:alert(7)',
  '{{constructor.constructor("alert(8)")()}}',
  '&lt;b&gt; &amp; &#60;',
  '\u202egnp.exe\u202c',
  '\u2067עברית\u2069 \u200fA',
  '👩‍🚀 😀 zoë Zoe\u0308',
  'line\nbreak\ttab',
  '\u2028\u2029',
  'x'.repeat(3000),
  '__proto__',
  'constructor',
];

const [ONE, TWO] = ['aaaaaaaa', 'bbbbbbbb'].map((head) => `${head}-0000-4000-8000-000000000000`) as [
  string,
  string,
];

/** A day on which everything has such a text for a name. */
export const hostileDay: Day = {
  lists: {
    organizations: [
      { uuid: ONE, name: HOSTILE[0] as string },
      { uuid: TWO, name: HOSTILE[1] as string },
    ],
    [`users/${ONE}`]: HOSTILE.map((text, i) => ({
      id: `user_${text}`,
      full_name: text,
      email: text,
      organization_role: ['owner', 'admin', text][i % 3] as string,
    })),
    [`users/${TWO}`]: HOSTILE.map((text) => ({
      id: `user_${text}`,
      full_name: text,
      email: text,
      organization_role: text,
    })),
    [`roles/${ONE}`]: HOSTILE.map((name, i) => ({ id: `rbac_role_${i}`, name })),
    [`roles/${TWO}`]: [],
    ...Object.fromEntries(
      HOSTILE.map((text, i) => [
        `role_permissions/${ONE}/rbac_role_${i}`,
        [{ action: 'capability_access_all', resource_type: text, resource_id: null }],
      ]),
    ),
    groups: HOSTILE.map((name, i) => ({ id: `rbac_group_${i}`, name, roles: [`rbac_role_${i}`] })),
    ...Object.fromEntries(
      HOSTILE.map((text, i) => [
        `group_members/rbac_group_${i}`,
        [
          { user_id: `user_${text}`, email: text },
          { user_id: `gone_${text}`, email: text },
        ],
      ]),
    ),
    [`organization_settings/${ONE}`]: HOSTILE.map((text) => ({
      name: text,
      type: text,
      value: { [text]: [text] },
    })),
    [`organization_settings/${TWO}`]: [],
    api_keys: [],
  },
  failing: [],
};
