import { ComplianceClient, ComplianceError } from '../../src/index.js';
import { proxyOf } from '../cli/connection.js';
import type { SourceSettings } from './config.js';
import { log } from './messages.js';
import type { ReadSurroundings } from './read.js';

/** An organisation may be unlinked between being listed and being asked for; so many are tried. */
const TRIES = 3;

/**
 * Asks for as little as shows that a read would work, since each request stands in the customer's audit log: the
 * first organisations, and one user.
 * @throws ComplianceError which says what is wrong
 */
export async function check(settings: SourceSettings, surroundings: ReadSurroundings): Promise<void> {
  const { output, environment, signal, clock } = surroundings;
  const { concurrency: _, ...clientSettings } = settings;
  await using client = new ComplianceClient({
    ...clientSettings,
    proxy: proxyOf(environment),
    clock,
    signal,
  });
  let tries = 0;
  for await (const { uuid } of client.organizations.iter({ signal })) {
    try {
      await client.organizations.listUsers(uuid, { limit: 1, signal });
      return;
    } catch (error) {
      tries += 1;
      const isGone = error instanceof ComplianceError && error.code === 'organization_not_found';
      if (!isGone || tries === TRIES) throw error;
    }
  }
  output.tell(
    log('WARN', 'The key sees no organisation, so it is not known whether it may read users as well.'),
  );
}
