import { type ProxySettings, postJson, VERSION } from '../../src/index.js';
import { asData } from './options.js';
import type { RunResult } from './run-result.js';

const LIMIT_MS = 10_000;
const TRIES = 2;

/** Stands for the exit code in the address, for services that take it there. */
export const EXIT_CODE = '{exit_code}';

interface Ping {
  url: string;
  proxy: ProxySettings;
  tries?: number;
  limitMs?: number;
}

/**
 * Says how a run ended, by one POST without personal data. The address may hold a secret: no message repeats it.
 * @returns a sentence for people when it was not taken
 */
export async function pingFinish(
  result: RunResult,
  { url, proxy, tries = TRIES, limitMs = LIMIT_MS }: Ping,
): Promise<string | undefined> {
  const address = new URL(url.replaceAll(EXIT_CODE, String(result.exitCode)));
  const body = JSON.stringify({
    ...(asData(withoutRows(result)) as object),
    rows: result.rows,
    version: VERSION,
  });
  let why = '';
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    try {
      const status = await postJson({ url: address, body, proxy, signal: AbortSignal.timeout(limitMs) });
      if (status >= 200 && status < 300) return undefined;
      why = `it answered with ${status}`;
    } catch (error) {
      const { name, code = name } = error as NodeJS.ErrnoException;
      why = name === 'TimeoutError' ? `no answer within ${limitMs / 1000} s` : code;
    }
  }
  return `--on-finish was not delivered to ${address.host}: ${why}. The run itself is not affected.`;
}

/** The names of tables are data already. */
function withoutRows({ rows: _, startedAt, finishedAt, ...rest }: RunResult): object {
  return { ...rest, startedAt: startedAt.toISOString(), finishedAt: finishedAt.toISOString() };
}
