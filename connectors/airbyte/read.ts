import { ConfigError, type Repairs } from '../../src/index.js';
import type { ConfiguredStream, Selection } from './catalog.js';
import { checkpoints } from './checkpoints.js';
import { type CommandContext, openClient } from './client.js';
import type { SourceSettings } from './config.js';
import { createEventReporter, type EventReporter } from './event-reporter.js';
import { traceOf } from './failure.js';
import { type LogLevel, log, streamStatus, traceError } from './messages.js';
import { readerOf } from './readers.js';
import type { Reading } from './reading.js';
import { recordWriter } from './record-lines.js';
import { newSnapshot, type Snapshot, type States } from './state.js';

/** One `read`, its three files parsed. */
export interface Read {
  settings: SourceSettings;
  catalog: readonly ConfiguredStream[];
  states: States;
}

/** Reads the streams of a catalog, one after the other. @returns whether all of them are complete */
export async function read(asked: Read, context: CommandContext): Promise<boolean> {
  const { settings, catalog, states } = asked;
  const { output, clock } = context;
  const reporter = createEventReporter(output, clock);
  await using client = openClient(settings, context, reporter.onEvent);
  if (states.isForeign) {
    output.write(log('WARN', 'The state was not written by this source, or is damaged. It is ignored.'));
  }
  const { concurrency } = settings;
  const reads = { client, concurrency, states, snapshot: snapshotOf(asked, context), ...context, reporter };
  let isComplete = true;
  for (const configured of catalog) {
    if (!(await readStream(configured, reads))) isComplete = false;
  }
  return isComplete;
}

/** All streams of a sync carry the date of the first one that is resumed, or else today's. */
function snapshotOf({ catalog, states }: Read, { clock }: CommandContext): Snapshot {
  const now = clock.now();
  const unfinished = catalog.map(
    ({ name, selection }) =>
      selection && readerOf(selection.stream).snapshotOf(states.byStream.get(name), now),
  );
  return unfinished.find((snapshot) => snapshot !== undefined) ?? newSnapshot(now);
}

interface Reads extends CommandContext, Pick<Reading, 'client' | 'concurrency' | 'snapshot'> {
  states: States;
  reporter: EventReporter;
}

/** Reads one stream and reports how it ended; a failure does not end the other streams. */
async function readStream(configured: ConfiguredStream, reads: Reads): Promise<boolean> {
  const { output, signal } = reads;
  const { name } = configured;
  try {
    const selection = accept(configured, output);
    await output.send(streamStatus(name, 'STARTED'));
    await output.send(streamStatus(name, 'RUNNING'));
    await readSelection(selection, reads);
    await output.send(streamStatus(name, 'COMPLETE'));
    return true;
  } catch (error) {
    signal.throwIfAborted();
    await output.send(traceError(traceOf(error, name)));
    await output.send(streamStatus(name, 'INCOMPLETE'));
    return false;
  }
}

/** @throws ConfigError `stream_unknown`, `sync_mode_unknown` */
function accept(
  { name, syncMode, selection }: ConfiguredStream,
  output: CommandContext['output'],
): Selection {
  if (!selection) {
    throw new ConfigError(
      'The catalog asks for a stream that this source does not have. Run `discover` again.',
      { code: 'stream_unknown' },
    );
  }
  if (syncMode === 'incremental') {
    output.write(log('WARN', `${name}: the API does not serve changes, so a full refresh is read instead.`));
  } else if (syncMode !== 'full_refresh') {
    throw new ConfigError(`The catalog asks for \`${name}\` in a sync mode that this source does not know.`, {
      code: 'sync_mode_unknown',
    });
  }
  return selection;
}

async function readSelection(selection: Selection, reads: Reads): Promise<void> {
  const { stream } = selection;
  const { client, concurrency, snapshot, states, reporter, output, signal, clock } = reads;
  const { name } = stream;
  const ownCheckpoints = checkpoints(name, output, clock);
  const repairs: Repairs = { surrogates: 0 };
  const logOfStream = (level: LogLevel, message: string) => output.write(log(level, `${name}: ${message}`));

  reporter.follow(name, ownCheckpoints.heartbeat);
  try {
    await readerOf(stream).read({
      client,
      stream,
      concurrency,
      snapshot,
      state: states.byStream.get(name),
      checkpoints: ownCheckpoints,
      clock,
      signal,
      send: output.send,
      log: logOfStream,
      sender: ({ parent, snapshotDate }) => {
        const toLines = recordWriter(selection, { ...parent, snapshot_date: snapshotDate }, repairs);
        return async (served) => {
          const lines = toLines(served, clock.now());
          ownCheckpoints.count(lines.records);
          await output.sendRecords(lines);
        };
      },
    });
  } finally {
    reporter.follow(undefined, () => {});
    if (repairs.surrogates > 0) {
      logOfStream('WARN', `${repairs.surrogates} texts held lone surrogates, which became U+FFFD.`);
    }
  }
}
