import { ConfigError } from '../errors.js';
import { gzip } from './gzip.js';

/** What text formats know; inside Parquet there are others. */
export const TEXT_COMPRESSIONS = ['none', 'gzip'] as const;

/** Text as a file holds it. */
export function compressText(
  text: AsyncIterable<Uint8Array>,
  compression: (typeof TEXT_COMPRESSIONS)[number],
): AsyncIterable<Uint8Array> {
  return compression === 'gzip' ? gzip(text) : text;
}

/**
 * The compression that a format was asked for; its first when none was.
 * @throws ConfigError `unknown_compression`
 */
export function chooseCompression<C extends string>(
  format: string,
  known: readonly [C, ...C[]],
  asked: string | undefined,
): C {
  if (asked === undefined) return known[0];
  const chosen = known.find((compression) => compression === asked);
  if (chosen !== undefined) return chosen;
  throw new ConfigError(`The format ${format} has no compression "${asked}"; it has: ${known.join(', ')}.`, {
    code: 'unknown_compression',
  });
}
