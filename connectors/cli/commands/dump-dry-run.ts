import type { ComplianceClient } from '../../../src/index.js';
import type { Surroundings } from '../command.js';
import type { DumpSettings } from './dump-settings.js';
import { wantedOrganizations } from './wanted-organizations.js';

/** Tells what a dump would cost at least: how many pages an organisation has, only reading it tells. */
export async function dryRun(
  client: ComplianceClient,
  { org, streams, requestsPerMinute, budgetShare }: DumpSettings,
  { stdout }: Surroundings,
): Promise<number> {
  const organizations = await wantedOrganizations(client, org);
  const requests = 1 + (streams.includes('users') ? organizations.length : 0);
  // The local limit, or what the API has just granted if that is less.
  const perMinute = Math.min(
    requestsPerMinute || Number.POSITIVE_INFINITY,
    (client.rateLimit?.limit ?? Number.POSITIVE_INFINITY) * budgetShare,
  );
  const seconds = Math.ceil((60 * requests) / perMinute);
  for (const { uuid } of organizations) stdout.write(`${uuid}\n`);
  stdout.write(
    `${organizations.length} organisations: at least ${requests} requests` +
      `${seconds === 0 ? '' : `, which at ${Math.floor(perMinute)} a minute take about ${seconds} s`}. Nothing was written.\n`,
  );
  return 0;
}
