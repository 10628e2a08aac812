import type { ComplianceClient } from '../../../src/index.js';
import type { Surroundings } from '../command.js';
import type { DumpSettings } from './dump-settings.js';

/** Tells what a dump would cost at least: how many pages an organisation has, only reading it tells. */
export async function dryRun(
  client: ComplianceClient,
  settings: DumpSettings,
  { stdout }: Surroundings,
): Promise<number> {
  const wanted = settings.org && new Set(settings.org);
  const organizations = (await client.organizations.list()).filter(({ uuid }) => !wanted || wanted.has(uuid));
  const requests = 1 + (settings.streams.includes('users') ? organizations.length : 0);
  const perMinute = settings.requestsPerMinute * settings.budgetShare;
  const seconds = perMinute === 0 ? 0 : Math.ceil((60 * requests) / perMinute);
  for (const { uuid } of organizations) stdout.write(`${uuid}\n`);
  stdout.write(
    `${organizations.length} organisations; at least ${requests} requests` +
      `${seconds === 0 ? '' : `, which take at least ${seconds} s of the budget`}. Nothing was written.\n`,
  );
  return 0;
}
