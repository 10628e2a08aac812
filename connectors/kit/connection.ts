import { z } from 'zod';
import { ComplianceClient, clientSettings, marks, type OnEvent } from '../../src/index.js';
import type { Context } from './command.js';

/** The settings of every command that reads the API. */
export const connectionSettings = z.object({
  ...clientSettings.shape,
  apiKey: clientSettings.shape.apiKey.register(marks, { isNoEvidence: true }),
  apiKeyFile: z
    .string()
    .optional()
    .describe('A file that holds the key, instead of ANTHROPIC_COMPLIANCE_ACCESS_KEY.')
    .register(marks, { isNoEvidence: true }),
  apiKeyCommand: z
    .string()
    .optional()
    .describe(
      'A command that prints the key, such as op read op://vault/claude/key. It is run once, without a shell, for 60 s at most.',
    )
    .register(marks, { isNoEvidence: true }),
});

interface Connection {
  onEvent?: OnEvent;
  /** For a command whose answer a person waits for: with a wrong address it ends at once. */
  failUnreachable?: boolean;
}

/** A client for a command's settings; the proxy variables are the process's, so they are read here. */
export function connect(
  settings: z.output<typeof connectionSettings>,
  { environment, signal }: Context,
  { onEvent = () => {}, failUnreachable = false }: Connection = {},
): ComplianceClient {
  const known = Object.keys(clientSettings.shape);
  const options = Object.fromEntries(Object.entries(settings).filter(([key]) => known.includes(key)));
  return new ComplianceClient({
    ...(options as z.output<typeof clientSettings>),
    proxy: proxyOf(environment),
    signal,
    onEvent,
    failUnreachable,
  });
}

/** As curl reads them: lower case wins, and an empty one is none. */
export function proxyOf(environment: NodeJS.ProcessEnv) {
  const read = (name: string): string | undefined =>
    environment[name.toLowerCase()] || environment[name] || undefined;
  const [httpProxy, httpsProxy, noProxy] = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].map(read);
  return { ...(httpProxy && { httpProxy }), ...(httpsProxy && { httpsProxy }), ...(noProxy && { noProxy }) };
}
