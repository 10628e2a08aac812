import {
  type ComplianceClient,
  ComplianceError,
  ownKey,
  type ParentKey,
  parentKeys,
  type Stream,
  scopedStream,
  snapshotSettings,
  wavesOf,
} from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { connect, connectionSettings } from '../../kit/connection.js';

/** What was read of one list. */
interface Sample {
  parent: ParentKey;
  records: readonly object[];
}

/** Requests as little as shows that a dump would work: each request is recorded in the customer's audit log. */
export const check = command({
  name: 'check',
  summary: 'Checks the configuration and the key: may it read each stream?',
  settings: connectionSettings.extend({
    streams: snapshotSettings.shape.streams.describe('The streams to check.'),
  }),
  async run(settings, context) {
    await using client = connect(settings, context);
    const samples = new Map<Stream, Sample>();
    let missing: ComplianceError | undefined;
    const say = (stream: Stream, what: string) => context.stdout.write(`${stream.name}: ${what}\n`);
    for (const stream of wavesOf(settings.streams).flat()) {
      const parent = anyParent(stream, samples);
      if (!parent) {
        say(stream, `not checked, because no record of ${stream.parent?.stream.name} was read`);
        continue;
      }
      try {
        const records = await sample(client, stream, parent);
        samples.set(stream, { parent, records });
        say(stream, stream === scopedStream ? `ok, the key sees ${records.length}` : 'ok');
      } catch (error) {
        if (!(error instanceof ComplianceError) || error.code !== 'missing_scope') throw error;
        say(stream, `the key lacks the scope ${stream.scope}`);
        missing ??= error;
      }
    }
    if (missing) throw missing;
    if (samples.get(scopedStream)?.records.length === 1) {
      context.stdout.write(
        "note: the key of an organisation's owner sees one organisation; that of a primary owner sees all\n",
      );
    }
    return 0;
  },
});

/** The key of some list of a stream; undefined when none is known. */
function anyParent(stream: Stream, samples: ReadonlyMap<Stream, Sample>): ParentKey | undefined {
  if (!stream.parent) return {};
  const { stream: above } = stream.parent;
  const { parent = {}, records: [first] = [] } = samples.get(above) ?? {};
  return first && parentKeys(stream, parent, [ownKey(above, first)])[0];
}

/** How many organisations there are is worth knowing; of other lists one record is enough. */
async function sample(client: ComplianceClient, stream: Stream, parent: ParentKey): Promise<object[]> {
  if (stream !== scopedStream) return (await client.page(stream, { parent, limit: 1 })).data;
  const records: object[] = [];
  for await (const record of client.records(stream, { parent })) records.push(record);
  return records;
}
