import type { Manifest, Slice, Table } from '../lake/manifest.js';
import { scopedStream } from '../streams/index.js';
import { keyText, type ParentKey, type Stream } from '../streams/stream.js';

/** What a snapshot knows of one list. Only of `read` and `absent` something may be concluded. */
export type ListState =
  | { readonly state: 'read'; readonly slice: Slice }
  /** Its parent was not there, by a list that was read completely: so it has no record. */
  | { readonly state: 'absent' }
  /** It was not read, or not completely, or nobody asked for it. */
  | { readonly state: 'unknown'; readonly how: string; readonly reason: string };

/** Looks up what a snapshot knows of a list. */
export type ListStates = (stream: Stream, parent: ParentKey) => ListState;

export function listStates({ tables, scope }: Manifest): ListStates {
  const slices = new Map<Table, Map<string, Slice>>();
  const sliceOf = (table: Table, parent: ParentKey): Slice | undefined => {
    const known = slices.get(table) ?? new Map(table.slices.map((slice) => [keyText(slice.parent), slice]));
    slices.set(table, known);
    return known.get(keyText(parent));
  };
  const isAsked = (parent: ParentKey): boolean => {
    const id = parent[ORGANIZATION];
    return id === undefined || scope.organizations === 'all' || scope.organizations.includes(id);
  };
  const stateOf: ListStates = (stream, parent) => {
    const table = tables[stream.name];
    if (!table) return unknown('not read', 'stream_not_read');
    if (stream === scopedStream && scope.organizations !== 'all')
      return unknown('scoped', 'organizations_not_all_read');
    const slice = sliceOf(table, parent);
    if (slice?.verdict === 'complete') return { state: 'read', slice };
    if (slice) return unknown(slice.verdict, slice.reason?.code ?? slice.verdict);
    if (!stream.parent) return unknown('not read', 'list_not_read');
    if (!isAsked(parent)) return unknown('not read', 'organization_not_asked_for');
    // No list was made for the parent, so it was not listed: if that list was read, there was none.
    const above = stateOf(stream.parent.stream, parentOf(stream, parent));
    return above.state === 'unknown' ? above : { state: 'absent' };
  };
  return stateOf;
}

const unknown = (how: string, reason: string): ListState => ({ state: 'unknown', how, reason });

/** The column that `--org` is about. */
const ORGANIZATION = 'organization_uuid';

/** The key of the list that the parent of a list is a record of. */
export function parentOf({ parent: above }: Stream, key: ParentKey): ParentKey {
  const { [above?.column ?? '']: _own, ...rest } = key;
  return rest;
}
