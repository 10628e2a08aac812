import { forEachConcurrently } from '../concurrency.js';
import { ConfigError } from '../errors.js';
import type { Stream } from '../streams/stream.js';
import { checkStillListed, slicesOf, type Work, wavesOf } from './slices.js';
import { type Extraction, REFUSED_ONE, stageSlice } from './stage-slice.js';
import type { StagedRun } from './staged-run.js';

/** Reads everything that a run is to hold into its staged run, except what is there already. */
export async function extractRun(extraction: Extraction): Promise<void> {
  const { run, settings, signal, clock, onEvent } = extraction;
  for (const wave of wavesOf(settings.streams)) {
    const slices = wave.flatMap((stream) => slicesOf(stream, run).map((parent) => ({ stream, parent })));
    checkStillListed(run, slices);
    const open = firstOfEachFirst(
      slices.filter((work) => isOpen(work, run)),
      run,
    );
    if (wave.some(({ parent }) => parent))
      onEvent({ type: 'slices-listed', slices: slices.length, open: open.length });
    await forEachConcurrently(open, { limit: settings.concurrency, signal }, (work, aborted) =>
      stageSlice(work, { ...extraction, signal: aborted }),
    );
    for (const stream of wave) reportWave(stream, extraction);
  }
  await run.record({ type: 'ready', extracted_at: new Date(clock.now()).toISOString() });
}

/**
 * The first list of each stream of which none was read before leads: what the key may not read is known after as many requests
 * as lists are read at a time. Nobody waits for it, since the first list may be the longest.
 */
function firstOfEachFirst(works: readonly Work[], run: StagedRun): Work[] {
  const first = new Map<Stream, Work>();
  for (const work of works) if (!first.has(work.stream)) first.set(work.stream, work);
  const isRead = ({ name }: Stream) => run.slicesOf(name).some(({ verdict }) => verdict === 'complete');
  return [...new Set([...[...first.values()].filter(({ stream }) => !isRead(stream)), ...works])];
}

/** A list without a parent is read by each process: it is short, and shows whether the key still sees what was staged. */
function isOpen({ stream, parent }: Work, run: StagedRun): boolean {
  const verdict = run.slice(stream.name, parent)?.verdict;
  return !stream.parent || (verdict !== 'complete' && verdict !== 'unavailable');
}

/**
 * What a stream's lists have in common is reported once.
 * @throws ConfigError `permission_denied` when the API has refused every one of them
 */
function reportWave(stream: Stream, { run, onEvent }: Extraction): void {
  const slices = slicesOf(stream, run).flatMap((parent) => run.slice(stream.name, parent) ?? []);
  const lists = slices.filter(({ verdict }) => verdict === 'unavailable').length;
  if (lists > 0) onEvent({ type: 'lists-unavailable', stream: stream.name, lists, of: slices.length });
  if (slices.length === 0 || slices.some(({ reason }) => reason?.code !== REFUSED_ONE)) return;
  throw new ConfigError(
    `The API refuses every list of ${stream.name}, so the key may not read this stream. Nothing was published. Leave it out of --streams, or use a key that may read it.`,
    { code: REFUSED_ONE },
  );
}
