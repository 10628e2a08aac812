import type { FixtureApi, ServedJson } from '../fixtures/api/index.js';

const ORGANIZATIONS = '/v1/compliance/organizations';

/** Where the API has its lists. */
const PATHS: Record<string, string> = {
  organizations: ORGANIZATIONS,
  users: `${ORGANIZATIONS}/{organizations}/users`,
  roles: `${ORGANIZATIONS}/{organizations}/roles`,
  role_permissions: `${ORGANIZATIONS}/{organizations}/roles/{roles}/permissions`,
  groups: '/v1/compliance/groups',
  group_members: '/v1/compliance/groups/{groups}/members',
  organization_settings: `${ORGANIZATIONS}/{organizations}/settings`,
};

/** The lists that have a path. */
export const LISTS: readonly string[] = Object.keys(PATHS);

/** Those of them that come in pages. */
export const PAGED = LISTS.filter((list) => list !== 'organization_settings');

/** The path of a list, below the ids that it needs. */
export function pathOf(list: string, ...ids: string[]): string {
  const left = [...ids];
  return (PATHS[list] ?? '').replaceAll(/\{\w+\}/g, () => left.shift() ?? '');
}

/** The ids below which a list is, for every one of its kind that is served now. */
export function allIds(api: FixtureApi, list: string): string[][] {
  const above = Array.from((PATHS[list] ?? '').matchAll(/\{(\w+)\}/g), ([, name]) => String(name));
  return above.reduce<string[][]>(
    (found, parent) =>
      found.flatMap((ids) =>
        [...api.records(parent, ...ids)].map((record) => [
          ...ids,
          String(parent === 'organizations' ? record.uuid : record.id),
        ]),
      ),
    [[]],
  );
}

/** The ids of the longest list of its kind; `rank` 1: of the one after it. */
export const largest = (api: FixtureApi, list: string, rank = 0): string[] =>
  allIds(api, list).sort((a, b) => api.list(list, ...b).count() - api.list(list, ...a).count())[rank] ?? [];

/** Every record of every list of a kind. */
export const allRecords = (api: FixtureApi, list: string): ServedJson[] =>
  allIds(api, list).flatMap((ids) => [...api.records(list, ...ids)]);

/** Asks with the key that is accepted. */
export const get = (api: FixtureApi, target: string): Promise<Response> =>
  fetch(api.url + target, { headers: { 'x-api-key': api.key } });

/** The status, type and message of an answer that is an error. */
export async function errorOf(
  response: Response,
): Promise<{ status: number; type: string; message: string }> {
  const { error } = (await response.json()) as { error: { type: string; message: string } };
  return { status: response.status, ...error };
}

/** The pages of a list, as a client reads them that only stops when there is no token. */
export async function pagesOf(api: FixtureApi, path: string, limit?: number): Promise<ServedJson[][]> {
  const pages: ServedJson[][] = [];
  for (let token: string | null = ''; token !== null; ) {
    const query = new URLSearchParams({ ...(limit && { limit: `${limit}` }), ...(token && { page: token }) });
    const body = await (await get(api, `${path}?${query}`)).json();
    const { data, next_page } = body as { data: ServedJson[]; next_page: string | null };
    pages.push(data);
    token = next_page;
  }
  return pages;
}
