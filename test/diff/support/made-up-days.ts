import fc from 'fast-check';
import { type Json, streams } from '../../../src/index.js';
import type { Day, JsonRecord } from './made-up-api.js';

/** Few names for everything, so that two days have much in common. */
export const ORGANIZATIONS = ['a', 'b', 'c'].map(
  (letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`,
);
export const PEOPLE = Array.from({ length: 7 }, (_, i) => `user_01person${i}`);
const ROLES = ['rbac_role_1', 'rbac_role_2'];
const GROUPS = ['rbac_group_1', 'rbac_group_2'];

const instant = fc.constantFrom(
  '2025-01-31T23:59:59.123456Z',
  '2025-02-01T00:59:59.123456+01:00',
  '2025-01-31T23:59:59.1234567Z',
  '2025-01-31T23:59:59.12345670',
  '2025-01-31T23:59:59',
  '2025-01-31T23:59:59Z',
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
const group = (id: string) =>
  fc
    .tuple(
      named('id', id),
      fc.oneof(some(ROLES), fc.constantFrom<Json>(null, 'not a list', ['rbac_role_1', { id: 2 }])),
    )
    .map(([record, given]): JsonRecord => ({ ...record, roles: given }));
const key = (id: string) =>
  fc
    .record({
      name: text,
      scopes: some(['read:a', 'read:b']),
      is_active: fc.boolean(),
      created_by_id: fc.constantFrom(...PEOPLE.slice(0, 2), null),
      expires_at: instant,
    })
    .map((fields): JsonRecord => ({ id, ...fields }));
const groupLists: fc.Arbitrary<Lists> = some(GROUPS).chain((groups) =>
  fc
    .tuple(
      each(groups, group),
      fc.tuple(...groups.map(() => some(PEOPLE).chain((people) => each(people, member)))),
    )
    .map(
      ([records, members]): Lists => [
        ['groups', records],
        ...groups.map((group, i): Lists[number] => [`group_members/${group}`, members[i] ?? []]),
      ],
    ),
);

/** Any directory of one day: some of whose lists cannot be read, or were not asked for. */
export const madeUpDay: fc.Arbitrary<Day> = some(ORGANIZATIONS)
  .chain((uuids) =>
    fc.tuple(
      each(uuids, (uuid) => named('uuid', uuid, ['created_at'])),
      fc.tuple(...uuids.map(organization)),
      groupLists,
      some(['key_1', 'key_2']).chain((ids) => each(ids, key)),
    ),
  )
  .chain(([organizations, ofEach, groups, keys]) => {
    const lists = Object.fromEntries([
      ['organizations', organizations] as const,
      ...ofEach.flat(),
      ...groups,
      ['api_keys', keys] as const,
    ]);
    return fc.record({ lists: fc.constant(lists), failing: failingIn(lists) }).chain(askedIn);
  });

/** A quarter of all days have lists that cannot be read. The keys are in the answers of the settings. */
function failingIn(lists: Day['lists']): fc.Arbitrary<string[]> {
  const mayFail = Object.keys(lists).filter((name) => !['organizations', 'api_keys'].includes(name));
  const some = fc.subarray(mayFail, { maxLength: Math.min(3, mayFail.length) });
  return fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, some);
}

/** A quarter of all days ask for some organisations only, or for some streams. */
function askedIn(day: Day): fc.Arbitrary<Day> {
  const uuids = (day.lists.organizations ?? []).map(({ uuid }) => String(uuid));
  const everything = { weight: 6, arbitrary: fc.constant({}) };
  const some = fc.subarray(uuids, { minLength: Math.min(1, uuids.length) }).map((asked) => ({ asked }));
  // A list that is read for others alone ends the run when it fails.
  const names = fc
    .subarray(
      streams.map(({ name }) => name),
      { minLength: 1 },
    )
    .map((asked) => ({
      streams: asked,
      failing: day.failing.filter((list) => asked.includes(list.split('/')[0] ?? '')),
    }));
  const less = uuids.length > 0 ? [some, names] : [names];
  return fc.oneof(everything, ...less).map((asked) => ({ ...day, ...asked }));
}

/** A day that follows another: lists of it are as they were, and what is new below them is of a day that has nothing to do with it. */
function following(before: Day, fresh: Day, isKept: (list: string) => boolean): Day {
  const lists: Day['lists'] = {};
  const take = (name: string): JsonRecord[] => {
    const [one, other] = isKept(name) ? [before, fresh] : [fresh, before];
    lists[name] = one.lists[name] ?? other.lists[name] ?? [];
    return lists[name];
  };
  for (const { uuid } of take('organizations')) {
    take(`users/${uuid}`);
    for (const { id } of take(`roles/${uuid}`)) take(`role_permissions/${uuid}/${id}`);
    take(`organization_settings/${uuid}`);
  }
  for (const { id } of take('groups')) take(`group_members/${id}`);
  take('api_keys');
  const { failing, asked, ...rest } = fresh;
  const uuids = (lists.organizations ?? []).map(({ uuid }) => String(uuid));
  const known = asked?.filter((uuid) => uuids.includes(uuid)) ?? [];
  return {
    ...rest,
    lists,
    failing: failing.filter((name) => lists[name]),
    ...(known.length > 0 && { asked: known }),
  };
}

/** So many days, one after the other: three of four lists are from day to day as they were. */
export const madeUpHistory = (days: number): fc.Arbitrary<Day[]> =>
  fc
    .tuple(
      fc.array(madeUpDay, { minLength: days, maxLength: days }),
      fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
    )
    .map(([all, dice]) => {
      const isKept = () => (dice.next().value as number) > 0;
      const history: Day[] = [];
      for (const fresh of all) history.push(following(history.at(-1) ?? fresh, fresh, isKept));
      return history;
    });
