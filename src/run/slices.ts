import { ConfigError } from '../errors.js';
import { scopedStream, streams } from '../streams/index.js';
import { pathOf } from '../streams/path.js';
import { ancestorsOf, keyText, type ParentKey, parentKeys, type Stream } from '../streams/stream.js';
import type { StagedRun } from './staged-run.js';

/** One list that is to be read. */
export interface Work {
  stream: Stream;
  parent: ParentKey;
}

/** What is asked for and what that needs, parents before children; the streams of one wave are read side by side. */
export function wavesOf(asked: readonly string[]): Stream[][] {
  const wanted = streams.filter(({ name }) => asked.includes(name));
  const needed = new Set(wanted.flatMap((stream) => [...ancestorsOf(stream), stream]));
  const waves: Stream[][] = [];
  for (const stream of streams.filter((stream) => needed.has(stream))) {
    const depth = ancestorsOf(stream).length;
    waves[depth] = [...(waves[depth] ?? []), stream];
  }
  return waves;
}

/** The lists of a stream, in the order in which their parents were served, at every level. */
export function slicesOf(stream: Stream, run: StagedRun): ParentKey[] {
  if (!stream.parent) return [{}];
  const { stream: above } = stream.parent;
  return slicesOf(above, run).flatMap((parent) =>
    parentKeys(stream, parent, run.slice(above.name, parent)?.keys ?? []),
  );
}

/** The keys of the records that a list may be read through: only those that the run is about. */
export const placesOf = ({ through }: Stream, run: StagedRun): readonly string[] | undefined =>
  through && run.slice(through.stream.name, {})?.keys;

/** Of a list that was not read: where it was looked for first. */
export function endpointOf({ stream, parent }: Work, run: StagedRun): string {
  const [first] = placesOf(stream, run) ?? [];
  if (!stream.through) return pathOf(stream, parent);
  return first === undefined ? stream.path : pathOf(stream, { [stream.through.column]: first });
}

/**
 * A role or a group that was deleted meanwhile is left out, as its own list says; with an organisation, the key may be another's.
 * @throws ConfigError `resume_mismatch`
 */
export function checkStillListed(run: StagedRun, slices: readonly Work[]): void {
  const ofOrganizations = slices.filter(({ stream }) => stream.parent?.stream === scopedStream);
  const listed = new Set(ofOrganizations.map(({ stream, parent }) => `${stream.name}/${keyText(parent)}`));
  const missing = [...new Set(ofOrganizations.map(({ stream }) => stream))].flatMap(({ name }) =>
    run
      .slicesOf(name)
      .filter(({ verdict, parent }) => verdict === 'complete' && !listed.has(`${name}/${keyText(parent)}`)),
  ).length;
  if (missing === 0) return;
  throw new ConfigError(
    `The unfinished run holds ${missing} list(s) of organisations that this key does not see. Is it the key of another parent organisation? Start again with --fresh.`,
    { code: 'resume_mismatch' },
  );
}
