import { ComplianceError, organizationsSchema } from '../../src/index.js';
import { estimate } from './messages.js';
import { LONGEST_TOKEN, type OrganizationsState, organizationsState, takeUp } from './state.js';
import type { Reading, SourceStream } from './stream.js';

/** The organisations that the key covers: a handful of pages. */
export const organizationsStream: SourceStream = {
  schema: organizationsSchema,
  snapshotOf: (state, now) => takeUp(state, organizationsState, now).from,
  async read(reading) {
    const { from, startsOver } = takeUp(reading.state, organizationsState, reading.clock.now());
    if (startsOver) reading.log('WARN', `organizations: starts over, since ${startsOver}.`);
    try {
      await readFrom(from, reading);
    } catch (error) {
      if (!from?.page || !(error instanceof ComplianceError) || error.code !== 'stale_token') throw error;
      reading.log(
        'WARN',
        'organizations: starts over, since the token in its state is not accepted any more.',
      );
      await readFrom(undefined, reading);
    }
  },
};

async function readFrom(from: OrganizationsState | undefined, reading: Reading): Promise<void> {
  const { client, checkpoints, signal, snapshot } = reading;
  const { snapshot_date, started_at } = from ?? snapshot;
  const state = { version: 1, snapshot_date, started_at, finished: false } as const;
  const send = reading.sender({ snapshot_date });
  const start = from?.page === undefined ? {} : { from: from.page };
  for await (const { records, next } of client.organizations.organizationPages({ ...start, signal })) {
    if (next === null && !from?.page) {
      await reading.send(estimate(organizationsSchema.name, records.length));
    }
    await send(records);
    if (next !== null && next.length <= LONGEST_TOKEN) await checkpoints.offer({ ...state, page: next });
  }
  await checkpoints.end({ ...state, finished: true });
}
