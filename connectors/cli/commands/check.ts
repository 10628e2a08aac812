import {
  ConfigError,
  type Stream,
  scopedStream,
  snapshotSettings,
  streams,
  wavesOf,
} from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { connect, connectionSettings } from '../../kit/connection.js';
import { createProbe, findingLine } from '../../kit/probe.js';
import { openWaiting } from '../../kit/waiting.js';

/** Requests as little as shows that a dump would work: each request is recorded in the customer's audit log. */
export const check = command({
  settings: connectionSettings.extend({
    streams: snapshotSettings.shape.streams.describe(
      'The streams to check: names, separated by spaces or commas, or all.',
    ),
  }),
  async run(settings, context) {
    const waiting = openWaiting(context);
    await using client = connect(settings, context, { ...waiting, failUnreachable: true });
    const probe = createProbe(client);
    const needed = wavesOf(settings.streams).flat();
    const refused: Refused[] = [];
    let organizations = 0;
    for (const stream of streams.filter((known) => needed.includes(known))) {
      const finding = await waiting.during(`asking ${client.baseUrl} for ${stream.name}`, () =>
        probe(stream),
      );
      context.stdout.write(`${findingLine(stream, finding)}\n`);
      if (finding.verdict === 'refused') refused.push({ stream, code: finding.code });
      if (finding.verdict === 'readable' && stream === scopedStream)
        organizations = finding.sample.records.length;
    }
    if (refused.length > 0) throw refusedError(refused);
    if (organizations === 1) {
      context.stdout.write(
        "note: the key of an organisation's owner sees one organisation; that of a primary owner sees all\n",
      );
    }
    return 0;
  },
});

interface Refused {
  stream: Stream;
  code: string;
}

function refusedError(refused: readonly Refused[]): ConfigError {
  const names = refused.map(({ stream }) => stream.name).join(', ');
  const unscoped = refused.filter(({ code }) => code === 'missing_scope');
  const scopes = [...new Set(unscoped.map(({ stream }) => stream.scope))].join(' and ');
  const advice = scopes === '' ? 'Use a key that may' : `Use a key with the scope ${scopes}`;
  return new ConfigError(
    `The key may not read ${names}. ${advice}, or choose by --streams what it may read.`,
    { code: (unscoped[0] ?? refused[0])?.code ?? '' },
  );
}
