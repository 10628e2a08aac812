import { ConfigError } from '../errors.js';
import type { Log } from './log.js';

/** The last entry of a log: who keeps it elsewhere notices a log that was cut or rewritten. */
export interface LogHead {
  entries: number;
  /** SHA-256 of the last entry. */
  sha256: string;
}

/** The head of a log. */
export const headOfLog = (log: Log): LogHead => ({ entries: log.length, sha256: log.at(-1)?.sha256 ?? '' });

/**
 * A head as it is printed: `42:<sha256>`.
 * @throws ConfigError `log_head_invalid`
 */
export function parseLogHead(text: string): LogHead {
  const [, entries, sha256 = ''] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (entries !== undefined && Number(entries) > 0) return { entries: Number(entries), sha256 };
  throw new ConfigError(
    'A head of the log looks like 42:<64 hexadecimal digits>, as dump and verify print it.',
    { code: 'log_head_invalid' },
  );
}

export const formatLogHead = ({ entries, sha256 }: LogHead): string => `${entries}:${sha256}`;
