import type { FixtureApi, ServedJson } from '../fixtures/api/index.js';

const ORGANIZATIONS = '/v1/compliance/organizations';

/** The path of the list called `list`, of one organisation where it belongs to one. */
export const pathOf = (list: string, organizationUuid = ''): string =>
  list === 'organizations' ? ORGANIZATIONS : `${ORGANIZATIONS}/${organizationUuid}/${list}`;

/** Asks with the key that is accepted. */
export const get = (api: FixtureApi, target: string): Promise<Response> =>
  fetch(api.url + target, { headers: { 'x-api-key': api.key } });

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
