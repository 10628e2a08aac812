import { RefusedError } from '../errors.js';
import type { Day } from '../lake/day.js';
import { covers, type Manifest, type Scope, type Slice } from '../lake/manifest.js';
import { newestWith } from '../lake/manifest-file.js';
import { scopedStream, streams } from '../streams/index.js';
import { keyText, type Stream } from '../streams/stream.js';

/**
 * A narrower scope never replaces a wider one, and what was pruned is not replaced at all.
 * @throws RefusedError `scope_refused`, `pruned_refused`
 */
export function checkReplaceable(
  scope: Omit<Scope, 'known'>,
  existing: Manifest | undefined,
  runDate: string,
): void {
  if (!existing) return;
  if (existing.status === 'pruned') {
    throw new RefusedError(
      `The snapshot of ${runDate} was pruned, and its manifests are kept as evidence of it. Nothing was written. Choose another folder or another --run-date.`,
      'pruned_refused',
    );
  }
  if (covers(scope, existing.scope)) return;
  throw new RefusedError(
    `There is a ${existing.status} snapshot of ${runDate} already, which holds more than this run reads (${existing.scope.streams.join(', ')}, ${existing.scope.organizations === 'all' ? 'all organisations' : 'some organisations'}). Nothing was written. Choose another folder or another --run-date.`,
    'scope_refused',
  );
}

interface GuardRequest {
  day: Day;
  /** What is to be published. */
  manifest: Manifest;
  maxShrink: number;
  allowEmpty: boolean;
  force: boolean;
}

/**
 * Compares what is about to be published with what is published.
 * @throws RefusedError `scope_refused`, `pruned_refused`, `incomplete_refused`, `unavailable_refused`, `shrink_refused`, `empty_refused`
 */
export async function checkPublishable(request: GuardRequest): Promise<void> {
  const { day, manifest, maxShrink, allowEmpty, force } = request;
  const existing = day.current?.manifest;
  checkReplaceable(manifest.scope, existing, manifest.run_date);
  if (force) return;
  if (existing && existing.totals.failed === 0 && manifest.totals.failed > 0) {
    throw new RefusedError(
      `${manifest.totals.failed} list(s) could not be read, and there is a ${existing.status} snapshot of ${manifest.run_date} already: it is kept. Run again to complete this one, or publish it with --force.`,
      'incomplete_refused',
    );
  }
  if (existing && existing.totals.unavailable < manifest.totals.unavailable) {
    throw new RefusedError(
      `The API did not serve ${manifest.totals.unavailable} list(s), and the ${existing.status} snapshot of ${manifest.run_date} lacks only ${existing.totals.unavailable}: it is kept. If the new one is right, publish it with --force.`,
      'unavailable_refused',
    );
  }
  if (manifest.scope.organizations !== 'all') return;
  for (const stream of streams.filter(({ isGuarded, name }) => isGuarded && manifest.tables[name])) {
    const newest = await newestWith({
      storage: day.storage,
      log: day.log,
      streams: [stream.name],
      clock: day.clock,
      skipUnreadable: true,
    });
    if (newest) checkShrink({ stream, manifest, newest, maxShrink });
  }
  if (!allowEmpty) checkNotEmpty(manifest);
}

/** The first snapshot has nothing to be compared with, and a key of the wrong kind may see no organisation. */
function checkNotEmpty({ tables }: Manifest): void {
  const listsOfOrganizations = streams.filter(({ parent }) => parent?.stream === scopedStream);
  const isEmpty =
    (tables[scopedStream.name]?.rows ?? 0) === 0 &&
    listsOfOrganizations.every(({ name }) => (tables[name]?.slices.length ?? 0) === 0);
  const isKnown = [scopedStream, ...listsOfOrganizations].some(({ name }) => tables[name]);
  if (!isEmpty || !isKnown) return;
  throw new RefusedError(
    'The API listed no organisation at all, so nothing was published. Is it the key of the right parent organisation, with the right scopes? If there is none yet, publish it with --allow-empty.',
    'empty_refused',
  );
}

interface Comparison {
  stream: Stream;
  manifest: Manifest;
  newest: Manifest;
  maxShrink: number;
}

function checkShrink({ stream, manifest, newest, maxShrink }: Comparison): void {
  const slicesOf = ({ tables }: Manifest): readonly Slice[] => tables[stream.name]?.slices ?? [];
  const read = new Map(slicesOf(manifest).map((slice) => [keyText(slice.parent), slice]));
  const verdictNow = ({ parent }: Slice) => read.get(keyText(parent))?.verdict ?? 'gone';
  const known = slicesOf(newest).filter(({ verdict }) => verdict === 'complete');
  if (known.length === 0) return;
  const gone = known.filter((slice) => verdictNow(slice) === 'gone').length;
  // A list that failed says nothing about its rows.
  const before = known
    .filter((slice) => verdictNow(slice) !== 'failed')
    .reduce((sum, { rows }) => sum + rows, 0);
  const now = manifest.tables[stream.name]?.rows ?? 0;
  const fallen = before === 0 ? 0 : (before - now) / before;
  const shrink = 100 * Math.max(gone / known.length, fallen);
  if (shrink <= maxShrink && gone < known.length) return;
  const lists = stream.parent ? `, and ${gone} of ${known.length} lists are gone` : '';
  throw new RefusedError(
    `Against the snapshot of ${newest.run_date} there are ${now} ${stream.name} where ${before} were${lists}: more than --max-shrink ${maxShrink} allows. Nothing was published; what was read is kept. If this is right, publish it with --force.`,
    'shrink_refused',
  );
}
