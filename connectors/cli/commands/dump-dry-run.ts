import { type ComplianceClient, ownKey, scopedStream, wavesOf } from '../../../src/index.js';
import type { Context } from '../../kit/command.js';
import { count, counted } from '../../kit/counts.js';
import type { DumpSettings } from './dump-settings.js';
import { recordsOf } from './scoped-lists.js';

/**
 * Prints what a dump would cost at least: how many pages a list has is known only when it is read. Lists whose parents
 * have parents themselves are not counted, for the same reason.
 */
export async function dryRun(
  client: ComplianceClient,
  { org, streams, requestsPerMinute, budgetShare }: DumpSettings,
  { stdout }: Context,
): Promise<number> {
  const [own = [], below = []] = wavesOf([...streams, scopedStream.name]);
  const records = new Map<string, number>();
  for (const stream of own) {
    const isNeeded = stream === scopedStream || below.some(({ parent }) => parent?.stream === stream);
    if (!isNeeded) continue;
    let listed = 0;
    for await (const record of recordsOf(client, stream, {}, org)) {
      listed += 1;
      if (stream === scopedStream) stdout.write(`${ownKey(stream, record)}\n`);
    }
    records.set(stream.name, listed);
  }
  const lists = below.map(({ parent }) => records.get(parent?.stream.name ?? '') ?? 0);
  const requests = lists.reduce((sum, listed) => sum + listed, own.length);
  // The local limit, or what the API has just granted if that is less.
  const perMinute = Math.min(
    requestsPerMinute || Number.POSITIVE_INFINITY,
    (client.rateLimit?.limit ?? Number.POSITIVE_INFINITY) * budgetShare,
  );
  const seconds = Math.ceil((60 * requests) / perMinute);
  const pace =
    seconds === 0 ? '' : `, which at ${count(Math.floor(perMinute))} a minute take about ${count(seconds)} s`;
  stdout.write(
    `${count(records.get(scopedStream.name) ?? 0)} ${scopedStream.name}: at least ${counted(requests, 'request')}${pace}. Nothing was written.\n`,
  );
  return 0;
}
