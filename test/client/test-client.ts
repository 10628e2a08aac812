import type { FixtureApi } from '../../fixtures/api/index.js';
import type { ComplianceEvent } from '../../src/events.js';
import { ComplianceClient, type ComplianceClientOptions } from '../../src/extract/compliance-client.js';
import { quickClock } from './quick-clock.js';

/** A client for a test server, with time passing a hundred times as fast; events are kept. */
export function testClient(
  api: Pick<FixtureApi, 'url' | 'key'>,
  options: Partial<ComplianceClientOptions> = {},
): ComplianceClient & { events: ComplianceEvent[] } {
  const events: ComplianceEvent[] = [];
  const client = new ComplianceClient({
    apiKey: api.key,
    baseUrl: api.url,
    requestsPerMinute: 0,
    clock: quickClock(),
    // On this clock, a minute and more of the machine's: no busy machine should look like a time-out.
    timeout: 7_200_000,
    deadline: 86_400_000,
    onEvent: (event) => events.push(event),
    ...options,
  });
  return Object.assign(client, { events });
}

/** What a promise was rejected with; a failure if it was not. */
export async function rejection(work: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await work;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('It was expected to fail, and it did not.');
}

/** All of an async iterable. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
