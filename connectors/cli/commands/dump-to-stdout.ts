import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type ComplianceClient,
  ConfigError,
  type Row,
  rowMaker,
  type Stream,
  sinkFormats,
  streams,
} from '../../../src/index.js';
import type { Context } from '../../kit/command.js';
import { sinksOf } from '../formats.js';
import type { DumpSettings } from './dump-settings.js';
import { listsOf, recordsOf } from './scoped-lists.js';

const BATCH = 1000;

/** Streams one table to stdout; a reader that leaves early ends it quietly. */
export async function dumpToStdout(
  client: ComplianceClient,
  settings: DumpSettings,
  { stdout, signal }: Context,
): Promise<number> {
  const { sink, stream } = oneTextTable(settings);
  const snapshotDate = settings.runDate ?? new Date().toISOString().slice(0, 10);
  const toRow = rowMaker(stream.schema, { snapshot_date: snapshotDate }, { surrogates: 0 });
  async function* batches(): AsyncGenerator<Row[]> {
    let batch: Row[] = [];
    for await (const record of keyedRecords(client, stream, settings)) {
      batch.push(toRow(record));
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }
  try {
    await pipeline(sink.encode(stream.schema, batches()), stdout as Writable, { signal, end: false });
    return 0;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code !== 'EPIPE' && syscall !== 'write') throw error;
    return code === 'EPIPE' ? 0 : 1; // reported by whoever opened stdout
  }
}

/** @throws ConfigError `stdout_needs_one_text_table` */
function oneTextTable(settings: DumpSettings) {
  const [sink, secondSink] = sinksOf(settings);
  const [name, secondName] = settings.streams;
  const stream = streams.find((known) => known.name === name);
  const texts = sinkFormats.filter(({ isText }) => isText).map(({ format }) => format);
  if (sink && stream && !secondSink && secondName === undefined && texts.includes(sink.format))
    return { sink, stream };
  const names = streams.map((known) => known.name);
  throw new ConfigError(
    `--out - takes one table as text: give one of --streams ${names.join(', ')}, and one of --format ${texts.join(', ')}.`,
    { code: 'stdout_needs_one_text_table' },
  );
}

/** The records of a stream, each with the keys of its parents. */
async function* keyedRecords(
  client: ComplianceClient,
  stream: Stream,
  { org, concurrency }: DumpSettings,
): AsyncGenerator<object> {
  if (!org) {
    yield* client.all(stream, { concurrency });
    return;
  }
  for await (const parent of listsOf(client, stream, org)) {
    for await (const record of recordsOf(client, stream, parent, org)) yield { ...parent, ...record };
  }
}
