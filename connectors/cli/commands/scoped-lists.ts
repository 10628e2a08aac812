import {
  type ComplianceClient,
  checkListed,
  ownKey,
  type ParentKey,
  parentKeys,
  type Stream,
  scopedStream,
} from '../../../src/index.js';

/** What `--org` asks for; undefined: everything. */
type Org = readonly string[] | undefined;

/**
 * The pages of one list. Of the organisations, those remain that were asked for.
 * @throws ConfigError `organization_not_listed`: what was asked for by name must not be missing silently
 */
export async function* pagesOf(
  client: ComplianceClient,
  stream: Stream,
  parent: ParentKey,
  org: Org,
): AsyncGenerator<readonly object[]> {
  if (!org || stream !== scopedStream) {
    const through = org && stream.through ? await keysOf(client, stream.through.stream, org) : undefined;
    for await (const { records } of client.pages(stream, { parent, through })) yield records;
    return;
  }
  const pages: (readonly object[])[] = [];
  for await (const { records } of client.pages(stream, { parent })) pages.push(records);
  const keyOf = (record: object): string => ownKey(stream, record).toLowerCase();
  checkListed(org, pages.flat().map(keyOf));
  const wanted = new Set(org.map((uuid) => uuid.toLowerCase()));
  for (const records of pages) yield records.filter((record) => wanted.has(keyOf(record)));
}

/** The records of one list, as `pagesOf`. */
export async function* recordsOf(
  client: ComplianceClient,
  stream: Stream,
  parent: ParentKey,
  org: Org,
): AsyncGenerator<object> {
  for await (const records of pagesOf(client, stream, parent, org)) yield* records;
}

/** The keys of the lists of a stream, in the order served; with `org`, nothing of other organisations is requested. */
export async function* listsOf(
  client: ComplianceClient,
  stream: Stream,
  org: Org,
): AsyncGenerator<ParentKey> {
  if (!stream.parent) {
    yield {};
    return;
  }
  const { stream: above } = stream.parent;
  for await (const parent of listsOf(client, above, org)) {
    for await (const record of recordsOf(client, above, parent, org))
      yield* parentKeys(stream, parent, [ownKey(above, record)]);
  }
}

async function keysOf(client: ComplianceClient, stream: Stream, org: Org): Promise<string[]> {
  const keys: string[] = [];
  for await (const record of recordsOf(client, stream, {}, org)) keys.push(ownKey(stream, record));
  return keys;
}
