import { ancestorsOf, ComplianceError, ConfigError, type Stream } from '../../src/index.js';
import { createProbe, type Finding, findingLine } from '../kit/probe.js';
import { type CommandContext, openClient } from './client.js';
import type { SourceSettings } from './config.js';
import { isFatal } from './fatal.js';
import { log } from './messages.js';

/**
 * Shows by as few requests as possible what a read of each stream would meet, since each request is an entry in the
 * customer's audit log: of each stream one page of one list. It logs a line for each stream. Only a stream that is read by
 * default fails the check; that another one cannot be read is a warning, for whoever is about to choose it.
 * @throws ComplianceError: which of the default streams the key may not read, or what else is wrong
 */
export async function check(
  settings: SourceSettings,
  { streams, ...context }: CommandContext & { streams: readonly Stream[] },
): Promise<void> {
  const { output, signal } = context;
  await using client = openClient(settings, context);
  const probe = createProbe(client, { signal });
  const defaults = streams.filter(({ isDefault }) => isDefault);
  const needed = new Set(defaults.flatMap((stream) => [...ancestorsOf(stream), stream]));
  const refused: Refused[] = [];
  // What fails the check comes first; parents come before children all the same.
  for (const stream of [...needed, ...streams.filter((stream) => !needed.has(stream))]) {
    try {
      const finding = await probe(stream);
      output.write(log(finding.verdict === 'readable' ? 'INFO' : 'WARN', findingLine(stream, finding)));
      if (finding.verdict === 'refused' && needed.has(stream)) refused.push({ stream, finding });
    } catch (error) {
      if (needed.has(stream) || !(error instanceof ComplianceError)) throw error;
      if (signal.aborted || isFatal(error)) throw error;
      output.write(log('WARN', `${stream.name}: not checked. ${error.message} [${error.code}]`));
    }
  }
  if (refused.length > 0) throw notAllowed(refused);
}

interface Refused {
  stream: Stream;
  finding: Extract<Finding, { verdict: 'refused' }>;
}

function notAllowed(refused: readonly Refused[]): ConfigError {
  const streams = refused.map(({ stream: { name, scope } }) => `${name} (scope ${scope})`).join(', ');
  const reasons = [...new Set(refused.map(({ finding }) => finding.what))].join('; ');
  const { code = 'missing_scope' } = refused[0]?.finding ?? {};
  return new ConfigError(`The key may not read ${streams}: ${reasons}.`, { code });
}
