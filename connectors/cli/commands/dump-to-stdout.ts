import {
  batchMaker,
  type ColumnBatch,
  type CompactRecord,
  type ComplianceClient,
  type ComplianceEvent,
  ConfigError,
  checkRunDate,
  keyText,
  type OnEvent,
  type Stream,
  sinkFormats,
  streams,
  verdictOf,
} from '../../../src/index.js';
import type { Context } from '../../kit/command.js';
import { connect } from '../../kit/connection.js';
import { pseudonymsOf } from '../../kit/pseudonyms.js';
import { unavailableLine } from '../../kit/unavailable.js';
import { sinksOf } from '../formats.js';
import { writeToStdout } from '../stdout.js';
import type { DumpSettings } from './dump-settings.js';
import { listsOf, recordsOf } from './scoped-lists.js';

const BATCH = 1000;

/**
 * Streams one table to stdout; a reader that leaves early ends it quietly. That lists are unavailable is said on stderr: on
 * stdout it would look like a table without rows.
 */
export async function dumpToStdout(
  settings: DumpSettings,
  context: Context,
  onEvent: OnEvent,
): Promise<number> {
  const { sink, stream } = oneTextTable(settings);
  const startedAt = new Date().toISOString();
  const snapshotDate = settings.runDate ?? startedAt.slice(0, 10);
  checkRunDate({ run_date: snapshotDate, started_at: startedAt }, settings);
  const read = new Set<string>();
  let unavailable = 0;
  const watch = (event: ComplianceEvent): void => {
    onEvent(event);
    if (!('stream' in event) || event.stream !== stream.name) return;
    if (event.type === 'page') read.add(keyText(event.parent ?? {}));
    if (event.type === 'slice-failed' && event.verdict === 'unavailable') unavailable += 1;
  };
  await using client = connect(settings, context, { onEvent: watch });
  const pseudonyms = pseudonymsOf(settings);
  const toBatch = batchMaker(stream.schema, { snapshot_date: snapshotDate }, { surrogates: 0 });
  const finished = (records: CompactRecord[]): ColumnBatch => {
    const batch = toBatch({ records, isPlain: false, isRaw: false });
    return pseudonyms ? pseudonyms.batch(batch) : batch;
  };
  async function* batches(): AsyncGenerator<ColumnBatch> {
    let batch: CompactRecord[] = [];
    for await (const record of keyedRecords(client, stream, settings, () => {
      unavailable += 1;
    })) {
      batch.push(record as CompactRecord);
      if (batch.length < BATCH) continue;
      yield finished(batch);
      batch = [];
    }
    if (batch.length > 0) yield finished(batch);
  }
  const exitCode = await writeToStdout(sink.encode(stream.schema, batches()), context);
  if (unavailable > 0) {
    const lists = { stream: stream.name, lists: unavailable, of: unavailable + read.size };
    context.stderr.write(`note: ${unavailableLine(lists)}\n`);
  }
  return exitCode;
}

/** @throws ConfigError `stdout_needs_one_text_table` */
function oneTextTable(settings: DumpSettings) {
  const [sink, secondSink] = sinksOf(settings);
  const [name, secondName] = settings.streams;
  const stream = streams.find((known) => known.name === name);
  const texts = sinkFormats.filter(({ isText }) => isText).map(({ name }) => name);
  if (sink && stream && !secondSink && secondName === undefined && texts.includes(sink.format))
    return { sink, stream };
  const names = streams.map((known) => known.name);
  throw new ConfigError(
    `--out - takes one table as text: give one of --streams ${names.join(', ')}, and one of --format ${texts.join(', ')}.`,
    { code: 'stdout_needs_one_text_table' },
  );
}

/** The records of a stream, each with the keys of its parents. Lists that are unavailable are reported and left out. */
async function* keyedRecords(
  client: ComplianceClient,
  stream: Stream,
  { org, concurrency }: DumpSettings,
  onUnavailable: () => void,
): AsyncGenerator<object> {
  if (!org) {
    yield* client.all(stream, { concurrency });
    return;
  }
  for await (const parent of listsOf(client, stream, org)) {
    try {
      for await (const record of recordsOf(client, stream, parent, org)) yield { ...parent, ...record };
    } catch (error) {
      if (verdictOf(error) !== 'unavailable') throw error;
      onUnavailable();
    }
  }
}
