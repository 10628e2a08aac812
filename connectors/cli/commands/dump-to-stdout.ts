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
      {
        code: 'stdout_needs_one_text_table',
      },
    );
  }
  const schema = stream === 'users' ? usersSchema : organizationsSchema;
  const snapshotDate = settings.runDate ?? new Date().toISOString().slice(0, 10);
  const toRow = rowMaker(schema, { snapshot_date: snapshotDate }, { surrogates: 0 });
  const wanted = settings.org && new Set(settings.org);
  async function* batches(): AsyncGenerator<Row[]> {
    let batch: Row[] = [];
    const records =
      stream === 'users'
        ? client.organizations.streamAllUsers({ concurrency: settings.concurrency })
        : client.organizations.stream();
    for await (const record of records) {
      if (wanted && !wanted.has(record.organization_uuid ?? record.uuid)) continue;
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
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return 0;
    throw error;
  }
}
