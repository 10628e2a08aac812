import type { Manifest, Slice } from '../lake/manifest.js';
import { streams } from '../streams/index.js';
import { organizationSettings } from '../streams/organization-settings.js';
import { organizations } from '../streams/organizations.js';
import { keyText } from '../streams/stream.js';
import { users } from '../streams/users.js';
import type { Gap } from './data.js';

/** What a report shows of days before its own. */
const LOOKED_BACK_ON: readonly string[] = [organizations.name, users.name, organizationSettings.name];

/** What the snapshot of a report does not have, list by list. */
export function* gapsOf(manifest: Manifest): Generator<Gap> {
  yield* gapsOfDay(manifest);
  for (const { name } of streams) {
    const { slices } = manifest.tables[name] ?? {};
    if (!slices) yield { ...gapOf(manifest, 'stream_not_read'), stream: name };
    for (const slice of slices ?? []) {
      if (slice.verdict === 'complete') continue;
      yield { ...gapOf(manifest, reasonOf(slice)), stream: name, list: keyText(slice.parent), lists: 1 };
    }
  }
}

/** What an earlier day does not have of what a report looks back on, in numbers. */
export function* earlierGaps(manifest: Manifest): Generator<Gap> {
  yield* gapsOfDay(manifest);
  for (const stream of LOOKED_BACK_ON) {
    const { slices } = manifest.tables[stream] ?? {};
    if (!slices) yield { ...gapOf(manifest, 'stream_not_read'), stream };
    const lists = new Map<string, number>();
    for (const slice of slices ?? []) {
      if (slice.verdict !== 'complete') lists.set(reasonOf(slice), (lists.get(reasonOf(slice)) ?? 0) + 1);
    }
    for (const [reason, count] of lists) yield { ...gapOf(manifest, reason), stream, lists: count };
  }
}

/** A day without a snapshot, or without one that can be read. */
export const gapOfNothing = (date: string, reason: string): Gap => ({
  date,
  stream: null,
  list: null,
  lists: 0,
  reason,
});

function* gapsOfDay(manifest: Manifest): Generator<Gap> {
  if (manifest.status === 'pruned') yield gapOf(manifest, 'pruned');
  if (manifest.scope.organizations !== 'all') yield gapOf(manifest, 'organizations_not_all_read');
}

const gapOf = ({ run_date }: Manifest, reason: string): Gap => gapOfNothing(run_date, reason);
const reasonOf = ({ verdict, reason }: Slice): string => reason?.code ?? verdict;
