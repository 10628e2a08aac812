import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ChangeRow,
  ComplianceClient,
  changesSchema,
  compact,
  createSink,
  type DiffOptions,
  decodeFile,
  diffSnapshots,
  LocalStorage,
  type SnapshotOptions,
  snapshot,
  streams,
} from '../../src/index.js';
import { temporaryFolder } from '../run/support/tree.js';
import { type Day, type MadeUpApi, startMadeUpApi } from './support/made-up-api.js';
import { madeUpDay } from './support/made-up-days.js';
import { type Expected, referenceDiff } from './support/reference.js';

const [FROM, TO] = ['2026-11-22', '2026-11-23'];
/** All but the one that is read through any organisation. */
const ALL = streams.filter(({ through }) => !through).map(({ name }) => name);

let api: MadeUpApi;
beforeAll(async () => {
  api = await startMadeUpApi();
});
afterAll(() => api[Symbol.asyncDispose]());

async function take(root: string, day: Day, options: Partial<SnapshotOptions>): Promise<void> {
  api.serve(day);
  await using client = new ComplianceClient({
    apiKey: api.key,
    baseUrl: api.url,
    requestsPerMinute: 0,
    maxRetries: 0,
  });
  const storage = new LocalStorage(root);
  const careless = { streams: ALL, onOrgFailure: 'continue', force: true, maxShrink: 100 } as const;
  await snapshot({ client, storage, sink: createSink('ndjson'), ...careless, ...options });
}

async function changesIn(root: string, options: Partial<DiffOptions> = {}): Promise<ChangeRow[]> {
  const diff = await diffSnapshots({
    storage: new LocalStorage(root),
    scratch: `${root}/_staging`,
    from: FROM,
    to: TO,
    ...options,
  });
  const rows: ChangeRow[] = [];
  for await (const batch of diff.changes()) rows.push(...batch);
  return rows;
}

/** As text, in an order: what a comparison says is a set. How a list was read is not the reference's business. */
const asSet = (rows: readonly (Expected | ChangeRow)[]): string[] =>
  rows
    .map(({ stream, organization_uuid, key, change, field, before, after, effect }) =>
      JSON.stringify([
        stream,
        organization_uuid,
        key,
        change,
        field,
        ...(change === 'unknown' ? [] : [canonical(before), canonical(after)]),
        effect,
      ]),
    )
    .sort();

/** Typed files hold instants in UTC, with six digits. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, inner]) => [name, canonical(inner)]),
    );
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT[^.]*(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/.test(value))
    return value;
  return new Date(value).toISOString() + (/\.(\d+)/.exec(value)?.[1] ?? '').padEnd(6, '0').slice(3);
}

describe('what differs between two days', () => {
  it('is what a slow and obvious comparison finds, whatever was read, in every format and layout', async () => {
    const how = fc.record({
      format: fc.constantFrom('parquet', 'arrow', 'csv', 'ndjson'),
      layouts: fc.tuple(fc.constantFrom('per-org', 'per-date'), fc.constantFrom('per-org', 'per-date')),
      compacted: fc.boolean(),
      rowsPerFile: fc.constantFrom(2, 500_000),
    });
    await fc.assert(
      fc.asyncProperty(
        madeUpDay,
        madeUpDay,
        how,
        async (before, after, { format, layouts, compacted, rowsPerFile }) => {
          await using root = await temporaryFolder();
          const sink = createSink(format);
          await take(root.path, before, { runDate: FROM, sink, layout: layouts[0], rowsPerFile });
          await take(root.path, after, { runDate: TO, sink, layout: layouts[1], rowsPerFile });
          if (compacted) await compact({ storage: new LocalStorage(root.path), runDate: TO });
          expect(asSet(await changesIn(root.path))).toEqual(asSet(referenceDiff(before, after)));
        },
      ),
      { numRuns: 40 },
    );
  }, 120_000);

  it('is nothing when nothing changed, and then no list is read', async () => {
    const [day] = fc.sample(
      madeUpDay.filter(
        ({ failing, lists }) => failing.length === 0 && (lists.organizations?.length ?? 0) > 1,
      ),
      { numRuns: 1, seed: 7 },
    );
    await using root = await temporaryFolder();
    for (const runDate of [FROM, TO]) await take(root.path, day as Day, { runDate });
    const read: string[] = [];
    class Watched extends LocalStorage {
      override async *read(key: string): AsyncGenerator<Uint8Array> {
        read.push(key);
        yield* super.read(key);
      }
    }
    expect(await changesIn(root.path, { storage: new Watched(root.path) })).toEqual([]);
    expect(read.filter((key) => !key.startsWith('_runs/'))).toEqual([]);
  });

  it('can be written by every sink', async () => {
    const [before, after] = fc.sample(madeUpDay, { numRuns: 2, seed: 3 }) as [Day, Day];
    await using root = await temporaryFolder();
    await take(root.path, before, { runDate: FROM });
    await take(root.path, after, { runDate: TO });
    const rows = await changesIn(root.path);
    expect(rows.length).toBeGreaterThan(10);
    for (const format of ['ndjson', 'csv', 'parquet', 'arrow']) {
      const bytes = createSink(format).encode(
        changesSchema,
        (async function* () {
          yield rows;
        })(),
      );
      const decoded = [];
      for await (const batch of decodeFile({
        format,
        path: `changes.${format}`,
        schema: changesSchema,
        bytes,
      }))
        decoded.push(...batch);
      expect(decoded).toEqual(rows);
    }
  });
});
