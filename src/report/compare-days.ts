import type { ChangeKind, ChangeRow } from '../diff/changes.js';
import { compareSnapshots } from '../diff/compare-snapshots.js';
import { snapshotPruned } from '../lake/existing-log.js';
import type { PublishedSnapshot } from '../lake/file-rows.js';
import { readCurrent } from '../lake/manifest-file.js';
import type { Source } from '../lake/source.js';
import type { Json } from '../model/records.js';
import { organizationSettings } from '../streams/organization-settings.js';
import { users } from '../streams/users.js';
import type { Movement, SettingChange } from './data.js';
import type { Neighbours } from './neighbours.js';

/** What two days are compared for. */
export interface DayComparison {
  source: Source;
  scratch: string;
  signal?: AbortSignal | undefined;
}

/** What became of the memberships between two days on which all were read. */
export async function movementBetween(
  { from, to }: Pick<Neighbours, 'from' | 'to'>,
  comparison: DayComparison,
): Promise<Movement> {
  const counts = { added: 0, removed: 0, moved: 0, changed: 0, unknown: 0 };
  const effects = { rose: 0, fell: 0 };
  const days = { from, to, streams: [users.name] };
  for await (const { change, effect, field } of changesBetween(days, comparison)) {
    // A column that cannot be compared is about no membership.
    if (change !== 'unknown' || field === null) counts[change] += 1;
    if (effect) effects[effect] += 1;
  }
  const { added: joined, removed: left, moved, unknown } = counts;
  return { from, to, joined, left, moved, ...effects, unknown };
}

/** What happened to the settings of some organisations between two days. */
export async function* settingChangesBetween(
  pair: Neighbours,
  comparison: DayComparison,
): AsyncGenerator<SettingChange, void, void> {
  for await (const row of changesBetween({ ...pair, streams: [organizationSettings.name] }, comparison)) {
    const { from_date: from, to_date: to, organization_uuid, key, change, field } = row;
    yield {
      from,
      to,
      organization: organization_uuid ?? '',
      name: String(key.name ?? ''),
      change,
      field,
      before: settingIn(change, row.before),
      after: settingIn(change, row.after),
    };
  }
}

/** Of a setting that is new or gone, its value. */
const settingIn = (change: ChangeKind, side: Json): Json =>
  change === 'added' || change === 'removed' ? ((side as { value?: Json } | null)?.value ?? null) : side;

async function* changesBetween(
  { from, to, ...choice }: { from: string; to: string; streams: string[]; organizations?: string[] },
  { source, ...places }: DayComparison,
): AsyncGenerator<ChangeRow, void, void> {
  const [before, after] = [await daySnapshot(from, source), await daySnapshot(to, source)];
  for await (const rows of compareSnapshots({ before, after, ...choice, ...places })) yield* rows;
}

/** A day of the same root. Names that are pseudonyms already stay, of whatever key: only ids and settings are compared. */
async function daySnapshot(date: string, { storage, log, pseudonyms }: Source): Promise<PublishedSnapshot> {
  const manifest = (await readCurrent(storage, log, date))?.manifest;
  if (!manifest) throw snapshotPruned(date);
  return { storage, manifest, ...(manifest.pseudonyms === null && { pseudonyms }) };
}
