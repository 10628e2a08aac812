import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type ComplianceClient,
  ConfigError,
  organizationsSchema,
  type Row,
  rowMaker,
  usersSchema,
} from '../../../src/index.js';
import type { Surroundings } from '../command.js';
import { sinksOf } from '../formats.js';
import type { DumpSettings } from './dump-settings.js';
import { wantedOrganizations } from './wanted-organizations.js';

const BATCH = 1000;

/** Streams one table to stdout; a reader that leaves early ends it quietly. */
export async function dumpToStdout(
  client: ComplianceClient,
  settings: DumpSettings,
  { stdout, signal }: Surroundings,
): Promise<number> {
  const [sink, another] = sinksOf(settings);
  const [stream, second] = settings.streams;
  if (!sink || another || !['ndjson', 'csv'].includes(sink.format) || second) {
    throw new ConfigError(
      '--out - takes one table as text: give --streams users (or organizations) and --format ndjson (or csv).',
      { code: 'stdout_needs_one_text_table' },
    );
  }
  const schema = stream === 'users' ? usersSchema : organizationsSchema;
  const snapshotDate = settings.runDate ?? new Date().toISOString().slice(0, 10);
  const toRow = rowMaker(schema, { snapshot_date: snapshotDate }, { surrogates: 0 });
  const records = stream === 'users' ? users(client, settings) : organizations(client, settings);
  async function* batches(): AsyncGenerator<Row[]> {
    let batch: Row[] = [];
    for await (const record of records) {
      batch.push(toRow(record));
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }
  try {
    await pipeline(sink.encode(schema, batches()), stdout as Writable, { signal, end: false });
    return 0;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code !== 'EPIPE' && syscall !== 'write') throw error;
    return code === 'EPIPE' ? 0 : 1; // told by whoever opened stdout
  }
}

async function* organizations(client: ComplianceClient, { org }: DumpSettings): AsyncGenerator<object> {
  yield* await wantedOrganizations(client, org);
}

/** With `org`, no other organisation is asked for: each request stands in the customer's audit log. */
async function* users(client: ComplianceClient, { org, concurrency }: DumpSettings): AsyncGenerator<object> {
  if (!org) {
    yield* client.organizations.streamAllUsers({ concurrency });
    return;
  }
  for (const { uuid } of await wantedOrganizations(client, org)) {
    for await (const user of client.organizations.iterUsers(uuid)) yield { organization_uuid: uuid, ...user };
  }
}
