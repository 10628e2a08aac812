import { AWKWARD_EVERY } from '../fixtures/api/awkward.js';
import type { FixtureApi, ListHandle } from '../fixtures/api/index.js';

/**
 * Each role and each group has a list, and so a file of its own. Of the hundreds that an awkward directory has, the awkward
 * ones stay, and the first few, which differ from each other.
 */
export function thinOut(api: FixtureApi): void {
  thin(api.list('roles', String(api.organizations()[0]?.uuid)));
  thin(api.list('groups'));
}

function thin(list: ListHandle): void {
  for (let position = list.count() - 1; position >= 6; position -= 1)
    if (position % AWKWARD_EVERY !== 1) list.remove(position);
}
