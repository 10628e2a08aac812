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
 * The records of one list. Those of organisations are the ones that were asked for.
 * @throws ConfigError `organization_not_listed`: what was asked for by name must not be missing silently
 */
export async function* recordsOf(
  client: ComplianceClient,
  stream: Stream,
  parent: ParentKey,
  org: Org,
): AsyncGenerator<object> {
  if (!org || stream !== scopedStream) {
    yield* client.records(stream, { parent });
    return;
  }
  const listed: object[] = [];
  for await (const record of client.records(stream, { parent })) listed.push(record);
  const keyOf = (record: object): string => ownKey(stream, record).toLowerCase();
  checkListed(org, listed.map(keyOf));
  const wanted = new Set(org.map((uuid) => uuid.toLowerCase()));
  yield* listed.filter((record) => wanted.has(keyOf(record)));
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
