import { type Fault, type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { APIConnectionError, APIError } from '../../src/client/api-errors.js';
import { ComplianceError, ProtocolError } from '../../src/errors.js';
import { ComplianceClient } from '../../src/extract/compliance-client.js';
import { createFingerprints } from '../../src/extract/fingerprints.js';
import type { OrganizationUser } from '../../src/streams/users.js';
import { quickClock } from '../client/quick-clock.js';

/** What another request puts right. */
const PASSING: readonly Fault[] = [
  { type: 'answer', status: 408 },
  { type: 'answer', status: 429, headers: { 'retry-after': '1' } },
  { type: 'answer', status: 500 },
  { type: 'answer', status: 502, body: '<html>Bad gateway</html>' },
  { type: 'answer', status: 503, headers: { 'retry-after': '0.5' } },
  { type: 'answer', status: 529 },
  { type: 'answer', status: 200 },
  { type: 'answer', status: 200, body: '{"data":[{"id":"user_invented"}' },
  { type: 'reset' },
  { type: 'reset', after: 'headers' },
  { type: 'reset', after: 700 },
  { type: 'cut', after: 'nothing' },
  { type: 'cut', after: 700 },
  { type: 'cut', after: 700, chunked: true },
  { type: 'hang' },
  { type: 'hang', after: 700 },
  { type: 'empty-page' },
];

/** What must end in a typed error, or in a walk that starts again. */
const GRAVE: readonly Fault[] = [
  { type: 'stale-token' },
  { type: 'repeated-token' },
  { type: 'no-token' },
  { type: 'data-null' },
  { type: 'envelope', change: () => ({ data: [{}] }) },
];

/** The share of requests that something happens to; a fifteenth of it is grave. */
const FAULTS = 0.3;
const GRAVE_FAULTS = FAULTS / 15;

/** How a run reads: organisation by organisation, resuming from its last token after a failure, or all in one stream. */
const MANNERS = ['walk', 'resume', 'stream'] as const;

/** What one run came to. */
export interface ChaosOutcome {
  seed: number;
  manner: (typeof MANNERS)[number];
  requests: number;
  /** Organisations read completely, and exactly as served. */
  complete: number;
  /** Organisations that a typed error says are missing, by code. */
  missing: string[];
  /** What must never happen, in words. */
  wrong: string[];
}

/** Reads 50 organisations while 30 % of the requests go wrong, as the seed says, and compares with what was served. */
export async function runChaos(seed: number): Promise<ChaosOutcome> {
  await using api = await startFixtureApi({ seed, organizations: 50, users: 2_000 });
  const uuids = api.organizations().map(({ uuid }) => String(uuid));
  for (const uuid of uuids.filter((_, index) => (index + seed) % 7 === 0)) api.repeat(uuid, 3);
  for (const fault of PASSING) {
    api.fault({ match: { probability: (FAULTS - GRAVE_FAULTS) / PASSING.length }, do: fault });
  }
  for (const fault of GRAVE) {
    api.fault({ match: { path: '/users', probability: GRAVE_FAULTS / GRAVE.length }, do: fault });
  }
  await using client = new ComplianceClient({
    apiKey: api.key,
    baseUrl: api.url,
    requestsPerMinute: 0,
    timeout: 40_000,
    clock: quickClock(),
  });
  const manner = MANNERS[seed % MANNERS.length] ?? 'walk';
  const outcome: ChaosOutcome = { seed, manner, requests: 0, complete: 0, missing: [], wrong: [] };
  await (manner === 'stream' ? readStream(api, client, outcome) : readWalks(api, client, outcome));
  outcome.requests = api.requests.length;
  return outcome;
}

async function readWalks(api: FixtureApi, client: ComplianceClient, outcome: ChaosOutcome): Promise<void> {
  const listed = (await client.organizations.list()).map(({ uuid }) => uuid);
  compare(
    outcome,
    'the list',
    listed,
    api.organizations().map(({ uuid }) => String(uuid)),
  );
  const left = [...listed];
  const work = async () => {
    for (let uuid = left.shift(); uuid !== undefined; uuid = left.shift()) {
      const ids: string[] = [];
      try {
        await readUsers(client, uuid, ids, outcome.manner === 'resume' ? 3 : 0);
        if (compare(outcome, uuid, ids, idsOf(api, uuid))) outcome.complete += 1;
      } catch (error) {
        noteMissing(outcome, error, uuid);
        comparePart(outcome, uuid, ids, idsOf(api, uuid));
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

/** Adds the ids of an organisation as they are returned; resumes so many times after a failure. */
async function readUsers(
  client: ComplianceClient,
  uuid: string,
  ids: string[],
  resumes: number,
): Promise<void> {
  let from: string | undefined;
  let seen = createFingerprints();
  for (let failures = 0; ; failures += 1) {
    try {
      for await (const page of client.organizations.pages(uuid, { limit: 30, from, seen })) {
        ids.push(...page.records.map(({ id }) => id));
        from = page.next ?? undefined;
      }
      return;
    } catch (error) {
      if (failures === resumes || (error as ComplianceError).code === 'stale_token') throw error;
      seen = createFingerprints(seen.toBytes()); // as from a checkpoint
    }
  }
}

async function readStream(api: FixtureApi, client: ComplianceClient, outcome: ChaosOutcome): Promise<void> {
  const byOrganization = new Map<string, string[]>();
  let isComplete = false;
  try {
    for await (const record of client.organizations.streamAllUsers({ concurrency: 8, limit: 30 })) {
      const { organization_uuid, id } = record as OrganizationUser;
      const ids = byOrganization.get(organization_uuid) ?? [];
      byOrganization.set(organization_uuid, ids);
      ids.push(id);
    }
    isComplete = true;
  } catch (error) {
    noteMissing(outcome, error);
  }
  for (const { uuid } of api.organizations()) {
    const [ids, served] = [byOrganization.get(String(uuid)) ?? [], idsOf(api, String(uuid))];
    if (!isComplete) comparePart(outcome, String(uuid), ids, served);
    else if (compare(outcome, String(uuid), ids, served)) outcome.complete += 1;
  }
}

const idsOf = (api: FixtureApi, uuid: string): string[] => [...api.users(uuid)].map(({ id }) => String(id));

function compare(
  outcome: ChaosOutcome,
  what: string,
  got: readonly string[],
  served: readonly string[],
): boolean {
  const same = got.length === served.length && got.every((id, index) => id === served[index]);
  if (!same) outcome.wrong.push(`${what}: ${got.length} records instead of the ${served.length} served`);
  return same;
}

/** What came before a failure is the beginning of what was served, without a duplicate. */
function comparePart(
  outcome: ChaosOutcome,
  uuid: string,
  got: readonly string[],
  served: readonly string[],
): void {
  if (!got.every((id, index) => id === served[index])) {
    outcome.wrong.push(`${uuid}: returned something else before it failed`);
  }
}

/** An error must be one of ours, and name what it is about. */
function noteMissing(outcome: ChaosOutcome, error: unknown, uuid = '/v1/compliance/organizations'): void {
  const isOurs = error instanceof ComplianceError;
  const names =
    error instanceof APIError || error instanceof APIConnectionError || error instanceof ProtocolError
      ? `${error.path} ${error.message}`
      : '';
  if (!isOurs || !names.includes(uuid)) outcome.wrong.push(`${uuid}: ${String(error)}`);
  outcome.missing.push(isOurs ? error.code : 'untyped');
}
