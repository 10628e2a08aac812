import { type Clock, ComplianceClient, ConfigError, type Repairs } from '../../src/index.js';
import { proxyOf } from '../cli/connection.js';
import type { ConfiguredStream } from './catalog.js';
import { checkpoints } from './checkpoints.js';
import type { SourceSettings } from './config.js';
import { traceOf } from './failure.js';
import { type LogLevel, log, streamStatus, traceError } from './messages.js';
import { createNarrator, type Narrator } from './narrator.js';
import type { Output } from './output.js';
import { recordMaker } from './record.js';
import { newSnapshot, type Snapshot, type States } from './state.js';
import type { Reading, SourceStream } from './stream.js';

/** One `read`, its three files parsed. */
export interface Read {
  settings: SourceSettings;
  catalog: readonly ConfiguredStream[];
  states: States;
}

/** What `read` may touch of the process. */
export interface ReadSurroundings {
  output: Output;
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  clock: Clock;
}

/** Reads the streams of a catalog, one after the other. @returns whether all of them are complete */
export async function read(asked: Read, surroundings: ReadSurroundings): Promise<boolean> {
  const { settings, catalog, states } = asked;
  const { output, environment, signal, clock } = surroundings;
  const { concurrency, ...clientSettings } = settings;
  const narrator = createNarrator(output, clock);
  await using client = new ComplianceClient({
    ...clientSettings,
    proxy: proxyOf(environment),
    clock,
    signal,
    onEvent: narrator.onEvent,
  });
  if (states.isForeign) output.tell(log('WARN', 'The state is not one of this source, or broken: ignored.'));
  const reads = {
    client,
    concurrency,
    states,
    snapshot: snapshotOf(asked, clock),
    ...surroundings,
    narrator,
  };
  let isComplete = true;
  for (const configured of catalog) {
    if (!(await readStream(configured, reads))) isComplete = false;
  }
  return isComplete;
}

/** All streams of a sync carry the date of the first one that goes on, or else today's. */
function snapshotOf({ catalog, states }: Read, clock: Clock): Snapshot {
  const now = clock.now();
  const unfinished = catalog.map(({ name, stream }) => stream?.snapshotOf(states.byStream.get(name), now));
  return unfinished.find((snapshot) => snapshot !== undefined) ?? newSnapshot(now);
}

interface Reads extends ReadSurroundings, Pick<Reading, 'client' | 'concurrency' | 'snapshot'> {
  states: States;
  narrator: Narrator;
}

/** Reads one stream and tells how it went; another stream does not suffer from it. */
async function readStream(configured: ConfiguredStream, reads: Reads): Promise<boolean> {
  const { output, signal } = reads;
  const { name } = configured;
  try {
    const stream = accept(configured, output);
    await output.send(streamStatus(name, 'STARTED'));
    await output.send(streamStatus(name, 'RUNNING'));
    await readAccepted(stream, reads);
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
function accept({ name, syncMode, stream }: ConfiguredStream, output: Output): SourceStream {
  if (!stream) {
    throw new ConfigError('The catalog asks for a stream that this source does not have. Discover it anew.', {
      code: 'stream_unknown',
    });
  }
  if (syncMode === 'incremental') {
    output.tell(log('WARN', `${name}: the API has no changes to ask for; a full refresh is read instead.`));
  } else if (syncMode !== 'full_refresh') {
    throw new ConfigError(`The catalog asks for \`${name}\` in a sync mode that this source does not know.`, {
      code: 'sync_mode_unknown',
    });
  }
  return stream;
}

async function readAccepted(stream: SourceStream, reads: Reads): Promise<void> {
  const { client, concurrency, snapshot, states, narrator, output, signal, clock } = reads;
  const { schema } = stream;
  const { name } = schema;
  const ownCheckpoints = checkpoints(name, output, clock);
  const repairs: Repairs = { surrogates: 0 };
  const tellLog = (level: LogLevel, message: string) => output.tell(log(level, message));

  narrator.turnTo(name, ownCheckpoints.beat);
  try {
    await stream.read({
      client,
      concurrency,
      snapshot,
      state: states.byStream.get(name),
      checkpoints: ownCheckpoints,
      clock,
      signal,
      send: output.send,
      log: tellLog,
      sender: (added) => {
        const toMessage = recordMaker(schema, added, repairs);
        return async (records) => {
          const emittedAt = clock.now();
          for (const record of records) {
            ownCheckpoints.count();
            await output.send(toMessage(record, emittedAt));
          }
        };
      },
    });
  } finally {
    narrator.turnTo(undefined, () => {});
    if (repairs.surrogates > 0) {
      tellLog('WARN', `${name}: ${repairs.surrogates} texts held lone surrogates, which became U+FFFD.`);
    }
  }
}
