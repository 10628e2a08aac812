import type { Json, Manifest, Movement, ReportData } from '../../../src/index.js';
import type { Day } from '../../diff/support/made-up-api.js';
import { referencePopulation } from '../../review/support/reference-population.js';

/** A made-up day that was published, and what became of it. */
export interface PublishedDay {
  date: string;
  day: Day;
  isPruned: boolean;
}

type State = 'read' | 'not_there' | 'not_read';

const asks = ({ streams }: Day, name: string): boolean => streams?.includes(name) ?? true;
const uuidsOf = ({ lists }: Day): string[] => (lists.organizations ?? []).map(({ uuid }) => String(uuid));

/** What a day says of one list of an organisation. */
function stateOf(day: Day, stream: string, uuid: string): State {
  if (!asks(day, stream)) return 'not_read';
  if (uuidsOf(day).includes(uuid) && (day.asked?.includes(uuid) ?? true))
    return day.failing.includes(`${stream}/${uuid}`) ? 'not_read' : 'read';
  return day.asked || !asks(day, 'organizations') ? 'not_read' : 'not_there';
}

const readsAll = (day: Day, stream: string): boolean =>
  day.asked === undefined &&
  asks(day, 'organizations') &&
  asks(day, stream) &&
  uuidsOf(day).every((uuid) => stateOf(day, stream, uuid) === 'read');

/** `user organisation` of every membership, with its role. */
const membershipsOf = (day: Day): Map<string, string | null> =>
  new Map(
    uuidsOf(day).flatMap((uuid) =>
      (day.lists[`users/${uuid}`] ?? []).map(
        ({ id, organization_role }) => [`${id} ${uuid}`, organization_role as string | null] as const,
      ),
    ),
  );

/** The days, from the first to the last one: one after the other on the calendar. */
export function referenceDays(
  published: readonly PublishedDay[],
  largest: readonly string[],
): ReportData['days'] {
  const [first, last] = [published[0]?.date ?? '', published.at(-1)?.date ?? ''];
  const days: ReportData['days'][number][] = [];
  for (let at = new Date(first); at <= new Date(last); at = new Date(at.getTime() + 24 * 60 * 60 * 1000)) {
    const date = at.toISOString().slice(0, 10);
    const found = published.find((one) => one.date === date);
    if (!found) {
      const members = largest.map(() => 'not_read' as const);
      days.push({ date, status: 'no_snapshot', organizations: null, memberships: null, members });
      continue;
    }
    const { day, isPruned } = found;
    const isListed = asks(day, 'organizations') && !day.asked;
    days.push({
      date,
      status: isPruned ? 'pruned' : statusOf(day),
      organizations: isListed ? uuidsOf(day).length : null,
      memberships: readsAll(day, 'users') ? membershipsOf(day).size : null,
      members: largest.map((uuid) => {
        const state = stateOf(day, 'users', uuid);
        return state === 'read' ? (day.lists[`users/${uuid}`]?.length ?? 0) : state;
      }),
    });
  }
  return days;
}

/** Keys are in the settings of any organisation: the first one is asked. */
function keysAre(day: Day): 'read' | 'unavailable' | 'failed' {
  const first = uuidsOf(day).find((uuid) => day.asked?.includes(uuid) ?? true);
  if (!asks(day, 'api_keys')) return 'read';
  if (first === undefined) return 'unavailable';
  return day.failing.includes(`organization_settings/${first}`) ? 'failed' : 'read';
}

function statusOf(day: Day): Manifest['status'] {
  const requested = day.failing.filter((list) => isRequested(day, list));
  if (requested.length > 0 || keysAre(day) === 'failed') return 'incomplete';
  return day.asked || !asks(day, 'organizations') || !asks(day, 'users') ? 'scoped' : 'complete';
}

/** Whether a list is read at all: its stream is asked for, and the lists above it do not fail. */
function isRequested(day: Day, list: string): boolean {
  const [stream = '', ...keys] = list.split('/');
  if (!asks(day, stream)) return false;
  if (stream === 'group_members')
    return !day.failing.includes('groups') && (day.lists.groups?.some(({ id }) => id === keys[0]) ?? false);
  if (stream === 'groups') return true;
  const isAsked = day.asked?.includes(keys[0] ?? '') ?? true;
  if (stream === 'role_permissions' && day.failing.includes(`roles/${keys[0]}`)) return false;
  return isAsked && uuidsOf(day).includes(keys[0] ?? '');
}

const RANKS = [['user'], ['developer', 'billing'], ['admin'], ['owner']];
const rankOf = (role: unknown): number => RANKS.findIndex((roles) => roles.includes(String(role)));

export function referenceMovements(published: readonly PublishedDay[]): Movement[] {
  const whole = published.filter(({ day, isPruned }) => !isPruned && readsAll(day, 'users'));
  return whole.slice(1).map(({ date: to, day }, i) => {
    const { date: from, day: earlier } = whole[i] as PublishedDay;
    const [before, after] = [membershipsOf(earlier), membershipsOf(day)];
    const movement = { joined: 0, left: 0, moved: 0, rose: 0, fell: 0, unknown: 0 };
    const compare = (one: unknown, other: unknown): void => {
      const [low, high] = [rankOf(one), rankOf(other)];
      if (low < 0 || high < 0) return;
      if (high > low) movement.rose += 1;
      if (high < low) movement.fell += 1;
    };
    for (const [key, role] of before) if (after.has(key)) compare(role, after.get(key));
    for (const id of new Set([...before.keys(), ...after.keys()].map((key) => key.split(' ')[0]))) {
      const isOf = (key: string) => key.startsWith(`${id} `);
      const left = [...before.keys()].filter((key) => isOf(key) && !after.has(key)).sort();
      const joined = [...after.keys()].filter((key) => isOf(key) && !before.has(key)).sort();
      while (left.length > 0 && joined.length > 0) {
        movement.moved += 1;
        compare(before.get(left.shift() ?? ''), after.get(joined.shift() ?? ''));
      }
      movement.left += left.length;
      movement.joined += joined.length;
    }
    return { from, to, ...movement };
  });
}

/** `from to organisation name change`, organisation by organisation, from one day on which it is known to the next. */
export function referenceSettingChanges(published: readonly PublishedDay[]): string[] {
  const stream = 'organization_settings';
  const days = published.filter(({ day, isPruned }) => !isPruned && asks(day, stream));
  const changes: string[] = [];
  for (const uuid of new Set(days.flatMap(({ day }) => uuidsOf(day)))) {
    const known = days.filter(({ day }) => stateOf(day, stream, uuid) !== 'not_read');
    for (const [i, { date: to, day }] of known.entries()) {
      const before = known[i - 1];
      if (!before) continue;
      const settings = (one: Day): Map<string, Json> =>
        new Map(
          stateOf(one, stream, uuid) === 'read'
            ? (one.lists[`${stream}/${uuid}`] ?? []).map(({ name, value }) => [String(name), value as Json])
            : [],
        );
      const [old, now] = [settings(before.day), settings(day)];
      for (const name of new Set([...old.keys(), ...now.keys()])) {
        const kind = !old.has(name) ? 'added' : !now.has(name) ? 'removed' : 'changed';
        const [one = null, other = null] = [old.get(name), now.get(name)];
        if (kind === 'changed' && canonical(one) === canonical(other)) continue;
        changes.push([before.date, to, uuid, name, kind, canonical(one), canonical(other)].join(' '));
      }
    }
  }
  return changes.sort();
}

/** JSON with the members of objects in order. */
export const canonical = (value: Json): string =>
  JSON.stringify(value, (_, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

/** `date stream list lists` of everything that was not read; `-` is for what a row does not have. */
export function referenceGaps(published: readonly PublishedDay[]): string[] {
  const HISTORY = ['organizations', 'users', 'organization_settings'];
  const ALL = [...HISTORY, 'roles', 'role_permissions', 'groups', 'group_members', 'api_keys'];
  const gaps = referenceDays(published, [])
    .filter(({ status }) => status === 'no_snapshot')
    .map(({ date }) => `${date} - - 0`);
  for (const { date, day, isPruned } of published) {
    const isLast = date === published.at(-1)?.date;
    if (isPruned) gaps.push(`${date} - - 0`);
    if (day.asked) gaps.push(`${date} - - 0`);
    if (isLast && keysAre(day) !== 'read') gaps.push(`${date} api_keys  1`);
    for (const stream of isLast ? ALL : HISTORY) {
      if (!asks(day, stream)) gaps.push(`${date} ${stream} - 0`);
      const failed = day.failing.filter((list) => list.split('/')[0] === stream && isRequested(day, list));
      if (isLast)
        gaps.push(...failed.map((list) => `${date} ${stream} ${list.split('/').slice(1).join('/')} 1`));
      else if (failed.length > 0) gaps.push(`${date} ${stream} - ${failed.length}`);
    }
  }
  return gaps.sort();
}

/** The figures of who may do what, from the population of an access review, which has a reference of its own. */
export function referenceAccess(day: Day, manifest: Manifest) {
  const population = referencePopulation(day, manifest);
  const members = population.filter(
    ({ granted_by, user_id }) => granted_by === 'organization_role' && user_id !== '',
  );
  const ids = (rows: typeof population) => [...new Set(rows.map(({ user_id }) => String(user_id)))].sort();
  const isOf = (roles: readonly string[]) => members.filter(({ role }) => roles.includes(role ?? ''));
  const key = ({ user_id, organization_uuid }: (typeof members)[number]) => `${user_id} ${organization_uuid}`;
  return {
    people: ids(members),
    memberships: members.map((row) => `${key(row)} ${row.full_name} ${row.email} ${row.role}`).sort(),
    admins: isOf(['admin', 'owner', 'primary_owner', 'membership_admin']).map(key).sort(),
    several: ids(members).filter((id) => members.filter(({ user_id }) => user_id === id).length > 1),
    blanket: ids(population.filter(({ blanket }) => blanket === 'yes')),
    orphans: ids(population.filter(({ membership }) => membership === 'none')),
    owned: (uuid: string): boolean | null => {
      const own = members.filter(({ organization_uuid }) => organization_uuid === uuid);
      if (own.some(({ role }) => role === 'owner' || role === 'primary_owner')) return true;
      return stateOf(day, 'users', uuid) === 'read' && own.every(({ role }) => role !== '') ? false : null;
    },
  };
}
