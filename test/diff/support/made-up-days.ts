import fc from 'fast-check';
import type { Day, JsonRecord } from './made-up-api.js';

/** Few names for everything, so that two days have much in common. */
const ORGANIZATIONS = ['a', 'b', 'c'].map((letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`);
const PEOPLE = Array.from({ length: 7 }, (_, i) => `user_01person${i}`);
const ROLES = ['rbac_role_1', 'rbac_role_2'];
const GROUPS = ['rbac_group_1', 'rbac_group_2'];

const instant = fc.constantFrom(
  '2025-01-31T23:59:59.123456Z',
  '2025-02-01T00:59:59.123456+01:00',
  '2025-01-31T23:59:59.1234567Z',
  '2025-01-31T23:59:59',
  '2026-01-01T00:00:00Z',
  null,
);
const text = fc.constantFrom('one', 'zwei ü', 'trois "é"\n', '', null);
const json = fc.constantFrom(
  { a: 1, b: [true, null] },
  { b: [true, null], a: 1 },
  { a: 2 },
  ['x'],
  0,
  'text',
  null,
);
/** Some of the names, in any order. */
const some = (names: readonly string[]) => fc.shuffledSubarray([...names]);
/** A field that the API does not document, or none. */
const extra = fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, fc.record({ undocumented: json }));

const user = (id: string) =>
  fc
    .tuple(
      fc.record({
        full_name: text,
        email: fc.constantFrom('ada@example.com', 'grace@example.com', null),
        organization_role: fc.constantFrom(
          'user',
          'developer',
          'billing',
          'admin',
          'owner',
          'something new',
          null,
        ),
        created_at: instant,
      }),
      extra,
    )
    .map(([fields, more]): JsonRecord => ({ id, ...fields, ...more }));
const named = (key: string, id: string, times: readonly string[] = ['created_at', 'updated_at']) =>
  fc.tuple(fc.record({ name: text, description: text }), fc.tuple(instant, instant), extra).map(
    ([fields, at, more]): JsonRecord => ({
      [key]: id,
      ...fields,
      ...Object.fromEntries(times.map((time, i) => [time, at[i] ?? null])),
      ...more,
    }),
  );
const permission = fc
  .uniqueArray(
    fc.record({
      action: fc.constantFrom('read', 'capability_access_all'),
      resource_type: fc.constantFrom('project', null),
      resource_id: fc.constantFrom('1', null),
    }),
    { selector: (one) => JSON.stringify(one), maxLength: 3 },
  )
  .map((permissions): JsonRecord[] => permissions);
const setting = fc
  .uniqueArray(
    fc.record({ name: fc.constantFrom('mfa', 'retention'), type: fc.constant('any'), value: json }),
    {
      selector: ({ name }) => name,
      maxLength: 2,
    },
  )
  .map((settings): JsonRecord[] => settings);

/** One arbitrary for each id, as a list. */
const each = (
  ids: readonly string[],
  of: (id: string) => fc.Arbitrary<JsonRecord>,
): fc.Arbitrary<JsonRecord[]> => fc.tuple(...ids.map(of)).map((records) => [...records]);

type Lists = [name: string, records: JsonRecord[]][];

const organization = (uuid: string): fc.Arbitrary<Lists> =>
  fc.tuple(some(PEOPLE), some(ROLES)).chain(([people, roles]) =>
    fc
      .tuple(
        each(people, user),
        each(roles, (id) => named('id', id)),
        fc.tuple(...roles.map(() => permission)),
        setting,
      )
      .map(
        ([users, roleRecords, permissions, settings]): Lists => [
          [`users/${uuid}`, users],
          [`roles/${uuid}`, roleRecords],
          ...roles.map((role, i): Lists[number] => [
            `role_permissions/${uuid}/${role}`,
            permissions[i] ?? [],
          ]),
          [`organization_settings/${uuid}`, settings],
        ],
      ),
  );
const member = (user_id: string) =>
  fc
    .record({ email: fc.constantFrom('ada@example.com', null), created_at: instant, updated_at: instant })
    .map((fields): JsonRecord => ({ user_id, ...fields }));
const groupLists: fc.Arbitrary<Lists> = some(GROUPS).chain((groups) =>
  fc
    .tuple(
      each(groups, (id) => named('id', id)),
      fc.tuple(...groups.map(() => some(PEOPLE).chain((people) => each(people, member)))),
    )
    .map(
      ([records, members]): Lists => [
        ['groups', records],
        ...groups.map((group, i): Lists[number] => [`group_members/${group}`, members[i] ?? []]),
      ],
    ),
);

/** Any directory of one day, a quarter of whose days have lists that cannot be read. */
export const madeUpDay: fc.Arbitrary<Day> = some(ORGANIZATIONS)
  .chain((uuids) =>
    fc.tuple(
      each(uuids, (uuid) => named('uuid', uuid, ['created_at'])),
      fc.tuple(...uuids.map(organization)),
      groupLists,
    ),
  )
  .chain(([organizations, ofEach, groups]) => {
    const lists = Object.fromEntries([
      ['organizations', organizations] as const,
      ...ofEach.flat(),
      ...groups,
      ['api_keys', []] as const,
    ]);
    const mayFail = Object.keys(lists).filter((name) => !['organizations', 'api_keys'].includes(name));
    return fc
      .oneof(
        { weight: 3, arbitrary: fc.constant<string[]>([]) },
        fc.subarray(mayFail, { maxLength: Math.min(3, mayFail.length) }),
      )
      .map((failing): Day => ({ lists, failing }));
  });
