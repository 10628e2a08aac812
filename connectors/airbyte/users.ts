import { ComplianceError, type UserPage, usersSchema } from '../../src/index.js';
import { inTurn } from './in-turn.js';
import { openPosition, type Position, type Verdict } from './position.js';
import { LONGEST_TOKEN, takeUp, type UsersState, usersState } from './state.js';
import type { Reading, SourceStream } from './stream.js';

/** So many organisations failing in a row, all for the same reason, say that the reason lies elsewhere. */
const HOPELESS = 20;

/** So many organisations are named in an error. */
const MOST_NAMED = 10;

/** An organisation that could not be read. */
interface Failed {
  uuid: string;
  error: ComplianceError;
}

/** The users of every organisation, one organisation after the other. */
export const usersStream: SourceStream = {
  schema: usersSchema,
  snapshotOf: (state, now) => takeUp(state, usersState, now).from,
  async read(reading) {
    const { client, checkpoints, clock, log, signal } = reading;
    const listed = (await client.organizations.list({ signal })).map(({ uuid }) => uuid);
    const taken = takeUp(reading.state, usersState, clock.now());
    let { from, startsOver } = taken;
    let position = openPosition(listed, from);
    if (!position) {
      startsOver = 'the organisations listed are not those that its state was written for';
      from = undefined;
      position = openPosition(listed) as Position;
    }
    if (startsOver) log('WARN', `users: starts over, since ${startsOver}.`);

    const { snapshot_date, started_at } = from ?? reading.snapshot;
    const progress = { version: 1, snapshot_date, started_at, finished: false } as const;
    const failed = await readOrganizations({ reading, position, progress, underWay: from?.under_way });
    if (failed.length === 0) {
      await checkpoints.end({ ...progress, finished: true });
    } else {
      await checkpoints.end({ ...progress, ...position.toState() });
      throw incomplete(failed, listed.length);
    }
  },
};

interface UsersReading {
  reading: Reading;
  position: Position;
  /** What every state of this read begins with. */
  progress: Pick<UsersState, 'version' | 'snapshot_date' | 'started_at' | 'finished'>;
  /** The organisation in which an earlier read was cut off. */
  underWay: UsersState['under_way'];
}

/** @returns those that could not be read; the others are all sent */
async function readOrganizations({ reading, position, progress, underWay }: UsersReading): Promise<Failed[]> {
  const { checkpoints, concurrency, signal, log } = reading;
  const failed: Failed[] = [];
  let inRow: Failed[] = [];
  const checkpoint = (under_way: UsersState['under_way']) =>
    checkpoints.offer({ ...progress, ...position.toState(), ...(under_way && { under_way }) });
  await checkpoint(underWay);

  const turns = inTurn({
    sources: position.rest,
    open: (uuid, signal) =>
      openUsers(uuid, uuid === underWay?.organization_uuid ? underWay.page : undefined, { reading, signal }),
    concurrency,
    signal,
  });
  for await (const { source: uuid, pages } of turns) {
    const send = reading.sender({ organization_uuid: uuid, snapshot_date: progress.snapshot_date });
    let verdict: Verdict = 'complete';
    try {
      for await (const { records, next } of pages) {
        await send(records);
        if (next !== null && next.length <= LONGEST_TOKEN) {
          await checkpoint({ organization_uuid: uuid, page: next });
        }
      }
      inRow = [];
    } catch (error) {
      if (!(error instanceof ComplianceError) || signal.aborted || isFatal(error)) throw error;
      verdict = error.code === 'organization_gone' ? 'gone' : 'failed';
      if (verdict === 'gone') {
        log(
          'WARN',
          `users: organisation ${say(uuid)} is no longer linked; what was read of it has been sent.`,
        );
      } else {
        log('ERROR', `users: organisation ${say(uuid)} could not be read. ${error.message} [${error.code}]`);
        failed.push({ uuid, error });
        inRow = inRow[0]?.error.code === error.code ? [...inRow, { uuid, error }] : [{ uuid, error }];
      }
    }
    position.settle(uuid, verdict);
    await checkpoint(undefined);
    if (inRow.length >= HOPELESS) {
      log('ERROR', `users: gives up, since ${HOPELESS} organisations in a row failed alike.`);
      break;
    }
  }
  return failed;
}

/** The pages of one organisation, from a token if there is one; a token that has gone stale is told and forgotten. */
async function* openUsers(
  uuid: string,
  from: string | undefined,
  { reading, signal }: { reading: Reading; signal: AbortSignal },
): AsyncGenerator<UserPage, void, void> {
  const { client, log } = reading;
  try {
    yield* client.organizations.pages(uuid, { ...(from !== undefined && { from }), signal });
  } catch (error) {
    if (from === undefined || !(error instanceof ComplianceError) || error.code !== 'stale_token')
      throw error;
    log(
      'WARN',
      `users: organisation ${say(uuid)} starts over, since the token in the state is not accepted any more.`,
    );
    yield* client.organizations.pages(uuid, { signal });
  }
}

/** With a key that is refused, nothing else is worth a request. */
const isFatal = ({ code }: ComplianceError): boolean => code === 'authentication_failed';

/** A UUID that the API serves is told as long as it looks like an id. */
const say = (uuid: string): string => (/^[\w-]{1,64}$/.test(uuid) ? uuid : 'with an id that is none');

function incomplete(failed: readonly Failed[], listed: number): ComplianceError {
  const [first] = failed as [Failed];
  const named = failed.slice(0, MOST_NAMED).map(({ uuid }) => say(uuid));
  const more = failed.length > MOST_NAMED ? ` and ${failed.length - MOST_NAMED} more` : '';
  const count = `${failed.length} of ${listed} ${listed === 1 ? 'organisation' : 'organisations'}`;
  return new ComplianceError(
    `The users of ${count} could not be read: ${named.join(', ')}${more}. The others were read, as far as they were reached; another sync goes on with what is missing. ${first.error.message}`,
    { code: first.error.code, failure: first.error.failure, cause: first.error },
  );
}
