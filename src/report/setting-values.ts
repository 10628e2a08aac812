import { tableOf } from '../access/snapshot-directory.js';
import type { PublishedSnapshot } from '../lake/file-rows.js';
import type { Json } from '../model/records.js';
import { organizationSettings } from '../streams/organization-settings.js';
import type { SettingValue } from './data.js';

/** The values that each setting has, the most frequent first; null when the snapshot does not have settings. */
export async function settingValues(snapshot: PublishedSnapshot): Promise<SettingValue[] | null> {
  const table = tableOf(organizationSettings, snapshot);
  if (!table) return null;
  const values = new Map<string, { name: string; value: Json; organizations: string[] }>();
  for await (const rows of table.rows())
    for (const { name, value = null, organization_uuid } of rows) {
      const key = JSON.stringify([name, value]);
      const known = values.get(key) ?? { name: String(name), value: value as Json, organizations: [] };
      values.set(key, known);
      known.organizations.push(String(organization_uuid));
    }
  for (const { organizations } of values.values()) organizations.sort();
  return [...values]
    .sort(
      ([one, a], [other, b]) =>
        (a.name === b.name ? b.organizations.length - a.organizations.length : a.name < b.name ? -1 : 1) ||
        (one < other ? -1 : 1),
    )
    .map(([, value]) => value);
}
