import type { FixtureApi } from '../fixtures/api/index.js';
import { organizations, type ParentKey, type Row, rowMaker, type Stream, users } from '../src/index.js';
import { recordParser } from '../src/model/records.js';
import { ownKey, parentKeys } from '../src/streams/stream.js';

/** What a fixture serves now of these streams, as rows of a run date, by stream. */
export function servedRows<const S extends Stream = typeof organizations | typeof users>(
  api: FixtureApi,
  runDate: string,
  streams: readonly S[] = [organizations, users] as never,
): Record<S['name'], Row[]> {
  const entries = streams.map((stream) => {
    const parse = recordParser<object>(stream);
    const rows = parentsOf(api, stream).flatMap((parent) => {
      const makeRow = rowMaker(stream.schema, { ...parent, snapshot_date: runDate }, { surrogates: 0 });
      return [...api.records(stream.name, ...Object.values(parent))].map((json) => makeRow(parse(json)));
    });
    return [stream.name, rows];
  });
  return Object.fromEntries(entries) as Record<S['name'], Row[]>;
}

/** The keys of every list of a stream that is served now. */
function parentsOf(api: FixtureApi, { parent, ...stream }: Stream): ParentKey[] {
  if (!parent) return [{}];
  return parentsOf(api, parent.stream).flatMap((above) => {
    const records = api.records(parent.stream.name, ...Object.values(above));
    const keys = [...records].map((record) => ownKey(parent.stream, record));
    return parentKeys({ parent, ...stream }, above, keys);
  });
}
